"""State files: whole or not at all, for one bundle, set aside when unusable."""

import os
import tempfile
from pathlib import Path

import pytest

from edge.state.files import StateFiles

BUNDLE, OTHER = "a" * 64, "b" * 64


def test_state_comes_back_for_the_same_stream_and_bundle_only(tmp_path):
    StateFiles(tmp_path / "streams").save("p1", BUNDLE, {"rows": 3})
    files = StateFiles(tmp_path / "streams")

    assert files.load("p1", BUNDLE) == {"rows": 3}
    assert files.load("p1", OTHER) is None
    assert files.load("p2", BUNDLE) is None


def test_an_unchanged_state_is_not_written_again(tmp_path):
    files = StateFiles(tmp_path)

    assert files.save("p1", BUNDLE, {"rows": 3})
    assert not files.save("p1", BUNDLE, {"rows": 3})
    assert files.save("p1", BUNDLE, {"rows": 4})


@pytest.mark.parametrize(
    "content", [b"", b'{"version":1,"sta', b"\xff\xfe", b"[]", b'{"version":0,"state":{}}', b'{"version":1}']
)
def test_an_unusable_file_is_set_aside_and_reported(tmp_path, caplog, content):
    files = StateFiles(tmp_path)
    files.save("p1", BUNDLE, {})
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)

    assert StateFiles(tmp_path).load("p1", BUNDLE) is None

    (kept,) = tmp_path.iterdir()
    assert ".damaged-" in kept.name
    assert kept.read_bytes() == content
    assert "stream p1: state file is unusable" in caplog.text


def test_a_file_of_another_user_is_no_damaged_one(caplog):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder, before = Path(name), os.geteuid()
        StateFiles(folder).save("p1", BUNDLE, {"rows": 3})
        (path,) = folder.iterdir()
        path.chmod(0)
        folder.chmod(0o777)
        os.seteuid(before or 65534)
        try:
            files = StateFiles(folder)
            assert files.load("p1", BUNDLE) is None
            assert not files.save("p1", BUNDLE, {"rows": 4})
        finally:
            os.seteuid(before)
        path.chmod(0o600)
        assert StateFiles(folder).load("p1", BUNDLE) == {"rows": 3}
    assert "chown the file to who runs the agent" in caplog.text


@pytest.mark.parametrize("content", [b'{"version":99,"state":{}}', b'{"version":1,"state":{"version":99}}'])
def test_a_file_of_a_later_version_is_left_untouched(tmp_path, caplog, content):
    files = StateFiles(tmp_path)
    files.save("p1", BUNDLE, {})
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    files = StateFiles(tmp_path)

    assert files.load("p1", BUNDLE) is None
    assert not files.save("p1", BUNDLE, {"rows": 3})

    assert [one.read_bytes() for one in tmp_path.iterdir()] == [content]
    assert "written by a later version" in caplog.text
    assert "upgrade" in caplog.text


def test_a_crash_while_writing_leaves_the_old_state(tmp_path):
    files = StateFiles(tmp_path)
    files.save("p1", BUNDLE, {"rows": 3})
    (path,) = tmp_path.iterdir()
    path.with_name(f".{path.name}.new").write_bytes(b'{"version":1,"stream":"p1","sta')

    assert StateFiles(tmp_path).load("p1", BUNDLE) == {"rows": 3}
