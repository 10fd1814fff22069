"""What can be checked of the ARM counts without an emulator."""

import os
import subprocess
import sys
from pathlib import Path

from tests.arm import counts, rig


def test_without_an_emulator_it_says_what_to_install(tmp_path):
    environment = {**os.environ, "PATH": str(tmp_path), "OFFBEAT_QEMU": ""}

    done = subprocess.run(
        [sys.executable, "-m", "tests.arm.counts", str(tmp_path)],
        cwd=rig.ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0
    assert done.stdout == "ARM: not installed: apt-get install mmdebstrap gcc qemu-user\n"


def test_the_guest_gets_the_packages_that_are_pinned():
    assert {pin.split("==")[0] for pin in counts.pins()} == {"ai-edge-litert", "numpy", "onnxruntime"}


def test_counts_are_read_from_what_plugin_and_guest_print(tmp_path):
    (tmp_path / "30x8x16_int8.tflite").touch()

    class Told:
        def run(self, _cpu: str, _script: Path, arguments: list[str]) -> str:
            assert arguments == [str(tmp_path), "30x8x16_int8.tflite"]
            return "noise\nMARK 0 1000000\nMARK 1 1500000\nFILE 30x8x16_int8.tflite 0.010000\nINSNS 9\n"

    assert counts.count(Told(), tmp_path, "cortex-a72", counts.sizes("30x8x16")) == {"30x8x16": {"int8": 0.5}}
