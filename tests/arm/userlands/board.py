"""What the kernel of a Raspberry Pi 4 says of its processor, in place of what this machine's kernel says.

QEMU emulates the processor, and lets /proc and /sys through as they are. TFLite's runtimes ask both (pytorch/cpuinfo,
by way of XNNPACK), and half of each is worse than none: where /proc/cpuinfo knows no ARM core and /sys a second-level
cache, as on a PC, it counts no such cache, then writes one down, and ends with signal 11 (pull request 418 of
pytorch/cpuinfo). With the /proc/cpuinfo of an ARM kernel it does not, be the core a known one or not: both were tried.
So a userland is given both halves of one board.
"""

import subprocess
from pathlib import Path

_CORES = 4
_ARM = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32"
_FEATURES = {"arm64": "fp asimd evtstrm crc32 cpuid", "armhf": _ARM}
_CORTEX_A72 = """processor\t: {core}
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
_ALL = f"0-{_CORES - 1}"
_PROCESSORS = {"possible": _ALL, "present": _ALL, "online": _ALL, "kernel_max": "255"}
_EACH = {
    "topology/physical_package_id": "0",
    "cache/index2/level": "2",
    "cache/index2/size": "1024K",
    "cache/index2/shared_cpu_list": _ALL,
}


def put(root: Path, architecture: str) -> None:
    """Into a root whose /proc is mounted already, and whose /sys is an empty folder."""
    folder = root / "sys/devices/system/cpu"
    said = {folder / name: text for name, text in _PROCESSORS.items()}
    said |= {folder / f"cpu{core}" / name: text for core in range(_CORES) for name, text in _EACH.items()}
    for path, text in said.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", "ascii")
    known = root / "run/cpuinfo"
    features = _FEATURES[architecture]
    known.write_text("".join(_CORTEX_A72.format(core=core, features=features) for core in range(_CORES)), "ascii")
    subprocess.run(["mount", "--bind", str(known), str(root / "proc/cpuinfo")], check=True)
