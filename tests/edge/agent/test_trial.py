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
    monkeypatch.setattr(trial, "_LONGEST_S", 0.5)

    for script, said in (("kill -SEGV $$", "ends the runtime"), ("exec sleep 60", "takes longer than")):
        python.write_text(f"#!/bin/sh\necho float32\n{script}\n")
        python.chmod(0o755)
        with pytest.raises(BundleError, match=f"variant float32 {said}"):
            Trial(tmp_path / "memo").passed(bundle)

    assert not (tmp_path / "memo").exists()


def test_a_first_attempt_is_granted_more_time_than_one_that_keeps_rows_waiting(tmp_path: Path, monkeypatch) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(python))
    monkeypatch.setattr(trial, "_LONGEST_S", 0.4)
    monkeypatch.setattr(trial, "_BETWEEN_ROWS_S", 0.2)
    at_rest, running = Trial(None), Trial(None, between_rows=True)

    for one, granted in ((at_rest, "0.4 s"), (at_rest, "0.2 s"), (running, "0.2 s")):
        with pytest.raises(BundleError, match=granted):
            one.passed(bundle)
