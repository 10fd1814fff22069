"""A gateway of version 0.1.0 is upgraded and downgraded: commissioning is kept, or its loss said before."""

import json
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.commands.upkeep.doctor import findings
from edge.config.settings import load_config
from edge.detector.bundle.files import load_bundle
from edge.state.before_start import not_gone_on_with
from edge.state.files import StateFiles
from tests.kept.both_ways import OLD_COMMIT, ROOT, Stay, files, kept_gateway, old_version, stay


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    return kept_gateway(tmp_path)


def calibrated(gateway: Path) -> dict[str, bool]:
    """By file, whether it holds a calibration of the stream's own."""
    made = {}
    for path in (gateway / "state/streams").glob("*.json"):
        made[path.name] = json.loads(path.read_bytes())["state"]["calibration"] is not None
    return made


def names_of(log: str) -> list[str]:
    return [line for line in log.splitlines() if "cannot be gone on with" in line]


def test_what_an_upgrade_leaves_behind_is_named_before_it_by_check_and_doctor(gateway, capsys):
    before = files(gateway)

    main(["check", "--config", str(gateway / "agent.toml")])
    checked = capsys.readouterr().out.splitlines()
    told = [str(one) for one in findings(gateway / "agent.toml", 0.1, "no-such.service")]

    for lines, level in ((checked, "ok    warning: stream pump1:"), (told, "do    stream pump1:")):
        (line,) = [line for line in lines if "cannot be gone on with" in line]
        assert line.startswith(level)
        assert "pump1-2617e375b7f97e8a.json" in line
        assert "older version" in line
        assert "commissions itself anew" in line
    assert files(gateway) == before


def test_an_upgrade_touches_no_file_of_the_older_version_and_says_which_it_leaves(gateway):
    before = files(gateway)

    upgraded = stay(gateway, ROOT)
    again = stay(gateway, ROOT)

    assert {name: upgraded.files[name] for name in before} == before
    assert {name for name in upgraded.files if name not in before} == {
        "pump1-2617e375b7f97e8a.2.json", "pump2-2617e375b7f97e8a.2.json", "pump3-2617e375b7f97e8a.2.json",
        "pump3-2617e375b7f97e8a.2.rows",
    }  # fmt: skip
    (line,) = names_of(upgraded.log)
    assert "state/streams/pump1-2617e375b7f97e8a.json" in line
    assert names_of(again.log) == [], "said once: from then on there is a file of this version"
    assert {name: again.files[name] for name in before} == before


def test_rows_of_a_commissioning_under_way_are_gone_on_with_on_both_sides(gateway):
    rows = (gateway / "state/streams/pump3-2617e375b7f97e8a.rows").read_bytes()

    stay(gateway, ROOT)

    bundle = load_bundle(gateway / "bundle")
    own = StateFiles(gateway / "state/streams").collected("pump3", bundle.sha256).load(3)
    assert len(own) == len(rows.splitlines())
    assert (gateway / "state/streams/pump3-2617e375b7f97e8a.rows").read_bytes() == rows


@pytest.mark.data
def test_the_older_version_put_back_has_its_commissioning_and_this_one_its_own(gateway, tmp_path):
    (tmp_path / "code").mkdir()
    old = old_version(tmp_path / "code")
    if old is None:
        pytest.skip(f"commit {OLD_COMMIT}, version 0.1.0, is not in this repository's history")
    before = calibrated(gateway)
    assert before["pump1-2617e375b7f97e8a.json"]

    upgraded = stay(gateway, ROOT)
    downgraded = stay(gateway, old)
    again = stay(gateway, ROOT)

    for one in (upgraded, downgraded, again):
        assert "ready: pump1, pump2, pump3" in one.log
        assert "damaged" not in one.log
        assert "20 events are kept for the next start" in one.log
    assert {name: calibrated(gateway)[name] for name in before} == before
    own: dict[str, Stay] = {"upgraded": upgraded, "again": again}
    assert all("pump1-2617e375b7f97e8a.2.json" in one.files for one in own.values())
    assert names_of(again.log) == []


def test_a_stream_that_gets_another_bundle_is_told_before_that_it_commissions_itself_anew(gateway):
    manifest = gateway / "bundle/manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "name": "another"}))
    config, bundle = load_config(gateway / "agent.toml"), load_bundle(gateway / "bundle")
    streams = gateway / "state/streams"

    (line,) = not_gone_on_with(streams, "pump1", bundle, 900)

    assert "pump1-2617e375b7f97e8a.json was learnt with another bundle" in line
    assert "commissions itself anew on 900 rows" in line
    assert list(not_gone_on_with(streams, "pump1", bundle, 0)) == []
    assert list(not_gone_on_with(streams, "pump9", bundle, 900)) == []
    assert len(config.stream) == 3


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version":1}', b'{"version":1,"state":{"calibration":7}}'])
def test_a_file_of_the_older_version_that_is_damaged_is_named_and_left(gateway, content):
    path = gateway / "state/streams/pump1-2617e375b7f97e8a.json"
    path.write_bytes(content)
    bundle = load_bundle(gateway / "bundle")

    (line,) = not_gone_on_with(path.parent, "pump1", bundle, 900)

    assert str(path) in line
    stay(gateway, ROOT)
    assert path.read_bytes() == content
