"""What a bundle says of a machine on a Raspberry Pi is what it says here; the Pi is emulated."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.arm import counts, rig
from tests.arm.guest_scores import scores

BUNDLE = rig.ROOT / "models/pump"
WITHIN = {"float32": 1e-3, "dynamic": 0.02, "int8": 0.02}
"""Of a score: how kernels round is theirs."""


@pytest.fixture(scope="module")
def pi() -> rig.Rig:
    """An ARM userland with a runtime."""
    if why := rig.missing():
        pytest.skip(f"ARM: {why}")
    return rig.prepare(rig.ROOT / "build/arm", counts.pins())


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    """Five minutes of the simulated pump, noisy with cavitation after the third."""
    folder = tmp_path_factory.mktemp("rows")
    options = ["--out", str(folder / "pump.csv"), "--duration", "5m", "--seed", "3", "--fault", "cavitation@3m+2m:2"]
    subprocess.run([sys.executable, "-m", "firmware_sim", "csv", *options], check=True, cwd=rig.ROOT)
    values = np.genfromtxt(folder / "pump.csv", delimiter=",", skip_header=1)[:, 1:]
    np.save(folder / "rows.npy", values)
    return folder / "rows.npy"


@pytest.mark.parametrize("variant", WITHIN)
def test_scores_on_arm_are_those_of_this_machine(pi, rows, variant):
    here = scores(BUNDLE, variant, np.load(rows))

    said = pi.run("cortex-a72", Path(__file__).with_name("guest_scores.py"), [str(BUNDLE), variant, str(rows)])

    there = np.array([float(score) for score in re.findall(r"^SCORE (\S+)$", said, re.MULTILINE)])
    np.testing.assert_allclose(there, here, atol=WITHIN[variant])
    assert np.nanmax(here) > 1, "the fault must show, or equal scores say little"
