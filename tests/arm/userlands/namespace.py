"""Namespaces of our own: mounts, processes and emulators that end with the program that asked, however it ends.

What is mounted in here nobody outside sees; when the first process goes, by itself, by a signal or since whoever
started it was killed, the kernel ends all the others and takes every mount away. So there is nothing to undo. The
emulators too are registered for these namespaces alone (Linux 6.7), whatever the machine has registered.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

_EMULATORS = {"aarch64": ("02", "b7"), "arm": ("01", "28")}
"""Name of QEMU's: class and machine in an ELF header."""
_TOOLS = {"unshare": "util-linux", "setpriv": "util-linux", "mount": "mount"}
_KERNEL = (6, 7)
_LONGEST_WAIT_S = 10.0


def missing() -> str | None:
    """Why they cannot be had here; None where they can."""
    absent = sorted({package for tool, package in _TOOLS.items() if shutil.which(tool) is None})
    if absent:
        return f"not installed: apt-get install {' '.join(absent)}"
    if os.geteuid():
        return "not root: sudo make test-arm"
    kernel = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    if kernel < _KERNEL:
        return f"Linux {os.uname().release}: wanted 6.7 or newer (Debian 12: from bookworm-backports)"
    return None


def run(command: list[str], environment: dict[str, str] | None = None) -> int:
    """Run a command in namespaces of its own as their root; its exit status.

    SIGTERM and SIGINT end it, and SIGKILL of this process does so too.
    """
    wait = 'read -r go && exec "$@" </dev/null'
    options = ["--user", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"]
    start = ["setpriv", "--pdeathsig", "KILL", "unshare", *options, "sh", "-c", wait, "sh", *command]
    before = signal.signal(signal.SIGTERM, _leave)
    process = subprocess.Popen(start, stdin=subprocess.PIPE, env=environment)
    try:
        _map_users(process)
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
        return process.wait()
    finally:
        process.kill()
        process.wait()
        signal.signal(signal.SIGTERM, before)


def end_with_parent() -> None:
    """Inside, first of all: ask again for what `--kill-child` asked, which is lost at the exec of some Pythons."""
    set_signal_of_parents_death = 1
    if ctypes.CDLL(None).prctl(set_signal_of_parents_death, int(signal.SIGKILL)):
        raise OSError("prctl(PR_SET_PDEATHSIG)")


def register_emulators() -> None:
    """Inside: have the kernel start programs for ARM with QEMU, whichever root they lie in.

    Raises:
        OSError: this kernel has no binfmt_misc for namespaces.
    """
    folder = Path("/proc/sys/fs/binfmt_misc")
    subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(folder)], check=True)
    for name, (kind, machine) in _EMULATORS.items():
        program = shutil.which(f"qemu-{name}-static")
        assert program, "ask missing() first"
        magic = rf"\x7fELF\x{kind}\x01\x01" + r"\x00" * 9 + rf"\x02\x00\x{machine}\x00"
        mask = r"\xff" * 7 + r"\x00" + r"\xff" * 8 + r"\xfe\xff\xff\xff"
        # F: opened now, so that it is found from within a root of ARM's programs.
        (folder / "register").write_text(f":offbeat-{name}:M::{magic}:{mask}:{program}:F", "ascii")


def _map_users(process: subprocess.Popen[bytes]) -> None:
    """All users and groups of the machine, as they are: a package makes users of its own."""
    inside, here = Path(f"/proc/{process.pid}/ns/user"), os.readlink("/proc/self/ns/user")
    until = time.monotonic() + _LONGEST_WAIT_S
    while os.readlink(inside) == here:
        if process.poll() is not None or time.monotonic() > until:
            raise OSError(f"unshare made no namespaces, exit {process.poll()}")
        time.sleep(0.01)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{process.pid}/{name}").write_text("0 0 4294967295")


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
