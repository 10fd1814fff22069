"""The first inference of a bundle, in a process of its own."""

from pathlib import Path

import pytest

from edge.agent import trial
from edge.agent.trial import Trial
from edge.detector.bundle.files import BundleError
from tests.helpers.tiny_bundle import write_tiny_bundle


def test_a_bundle_that_runs_passes_once_and_is_remembered(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")

    Trial(tmp_path / "memo").passed(bundle)

    assert (tmp_path / "memo").read_text() == f"{bundle.sha256}\n"


def test_what_ends_or_hangs_the_process_is_a_bundle_error(tmp_path: Path, monkeypatch) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    python = tmp_path / "python"
    monkeypatch.setattr(trial.sys, "executable", str(python))

    for script, said in (("kill -SEGV $$", "ends the runtime"), ("exec sleep 60", "takes longer than")):
        python.write_text(f"#!/bin/sh\necho float32\n{script}\n")
        python.chmod(0o755)
        with pytest.raises(BundleError, match=f"variant float32 {said}"):
            Trial(tmp_path / "memo").passed(bundle)

    assert not (tmp_path / "memo").exists()
