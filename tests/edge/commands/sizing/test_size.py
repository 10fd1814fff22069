"""`offbeat-edge size`: what a config costs is measured, has its unit, and is nothing only where nothing is set."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.__main__ import main
from edge.commands.sizing.measure import BundleCost, Costs, memory_of
from edge.commands.sizing.size import lines, too_much, wear_lines
from edge.commands.sizing.wear import outage, updates, writes
from edge.config.settings import Config, load_config
from tests.helpers.agent import MQTT, PUMP, board, config, folder, health, rows, run
from tests.helpers.mosquitto import wait_for
from tests.helpers.tiny_bundle import write_tiny_bundle

__all__ = ["folder", "run"]

TWO = (PUMP, PUMP.replace("pump1", "pump2") + "calibrate_rows = 400\n")
MORE = "[history]\narchive_bytes = 1000000\n"


def set_up(folder: Path, *streams: str, more: str = "", port: int = 1883) -> Path:
    path = folder / "agent.toml"
    path.write_text(config(port, MQTT, *(streams or (PUMP,))) + more)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def sized(tmp_path_factory) -> SimpleNamespace:
    """Two streams of one bundle, of which one commissions itself, and an archive; measured once."""
    folder = tmp_path_factory.mktemp("sized")
    write_tiny_bundle(folder / "tiny")
    path = set_up(folder, *TWO, more=MORE)
    before = sorted(folder.rglob("*"))
    with pytest.MonkeyPatch.context() as patch:
        told: list[str] = []
        patch.setattr("builtins.print", lambda text, **_: told.append(text))
        status = main(["size", str(path), "--json"])
    return SimpleNamespace(
        status=status, body=json.loads(told[0]), config=load_config(path), untouched=before == sorted(folder.rglob("*"))
    )


def cost(**changes) -> BundleCost:
    made = {"name": "tiny", "variant": "float32", "runtime": "ai-edge-litert", "streams": ("pump1",), "period_s": 1.0,
            "window_s": 1e-4, "row_s": 1e-3, "each_bytes": 400_000, "commissioning_bytes": 0, "state_bytes": 500,
            "archived_row_bytes": 20.0}  # fmt: skip
    return BundleCost(**{**made, **changes})


def costs(*bundles: BundleCost) -> Costs:
    return Costs(
        bare_bytes=10_000_000, libraries_bytes=40_000_000, total_bytes=45_000_000, peak_bytes=46_000_000,
        idle_share=0.005, bundles=bundles or (cost(),), event_bytes={"new": 1500.0, "update": 1000.0, "end": 1200.0},
        event_written_bytes=10_000.0, episode_bytes=50_000.0,
    )  # fmt: skip


def settings(folder: Path, more: str = "") -> Config:
    return load_config(set_up(folder, more=more))


def test_nothing_that_is_configured_costs_nothing(sized):
    body = sized.body

    assert sized.status == 0
    assert 0 < body["memory"]["bare_python_bytes"] < body["memory"]["libraries_bytes"] < body["memory"]["total_bytes"]
    assert body["memory"]["total_bytes"] <= body["memory"]["peak_bytes"]
    assert body["memory"]["commissioning_bytes"] > 0
    assert 0 < body["processor"]["idle_share"] < body["processor"]["share"]
    (bundle,) = body["bundles"]
    assert bundle["streams"] == ["pump1", "pump2"]
    for name in ("each_bytes", "window_s", "row_s", "share_of_each", "state_bytes", "archived_row_bytes"):
        assert bundle[name] > 0, name
    assert bundle["window_s"] < bundle["row_s"], "a row is its inference, and all else"
    assert set(body["event_bytes"]) == {"new", "update", "end"}
    assert min(body["event_bytes"].values()) > 300
    assert 0 < body["outage"]["bytes"] < body["outage"]["most_bytes"] == sized.config.delivery.outbox_bytes
    told = {one["what"]: one for one in body["writes_a_day"]}
    assert set(told) == {"states", "events", "rows around episodes", "archive"}
    assert all(one["bytes"] > 0 and one["times"] > 0 for one in told.values())


def test_neither_the_state_folder_nor_anything_beside_the_config_is_touched(sized):
    assert sized.untouched


def test_what_is_measured_is_what_an_agent_takes(folder, broker, listener, run):
    path = set_up(folder, port=broker.port)
    rehearsed = memory_of(path, load_config(path))
    agent = run(path.read_text())
    agent.wait_ready()
    with board(broker) as publish:
        for one in rows(1000, 60):
            publish("sensors/pump1/readings", json.dumps({"time": one.time, "values": dict(one.values)}).encode())
    wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] >= 50, "the rows to be scored")

    assert 0.7 < rehearsed / health(listener)["rss_bytes"] < 1.4


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (lambda folder: (folder / "agent.toml").write_text("[device"), "agent.toml"),
        (lambda folder: (folder / "agent.toml").unlink(), "agent.toml"),
        (lambda folder: set_up(folder, PUMP + "\nvarient = 'int8'\n"), "varient"),
        (lambda folder: set_up(folder, PUMP + "\nvariant = 'int9'\n"), "int9"),
        (lambda folder: set_up(folder, PUMP + "\n[stream.rules.flaw]\nmax = 1.0\n"), "flaw"),
        (lambda folder: shutil.rmtree(folder / "tiny"), "tiny"),
        (lambda folder: (folder / "tiny" / "float32.tflite").write_bytes(b"x"), "SHA-256"),
    ],
)
def test_what_check_refuses_is_refused_with_its_words(folder, capsys, breaks, said):
    set_up(folder)
    breaks(folder)

    assert main(["check", "--config", str(folder / "agent.toml")]) == 2
    checked = capsys.readouterr().out
    assert main(["size", str(folder / "agent.toml")]) == 2
    sized = capsys.readouterr()
    assert said in checked
    assert said in sized.err
    assert not sized.out


def test_a_time_that_is_none_is_refused(folder, capsys):
    assert main(["size", str(set_up(folder)), "--outage", "soon"]) == 2
    assert "--outage: 'soon' is no time" in capsys.readouterr().err


def test_an_episode_is_told_ever_more_rarely_and_once_more_when_it_calms(folder):
    assert updates(3600.0, 3600.0) == 5  # after 1, 3, 7, 15 and 31 minutes
    assert updates(3600.0, 60.0) == 60
    assert updates(59.0, 3600.0) == 0
    told = outage(settings(folder), costs(), 86_400.0, 10.0)
    assert (told.events, told.bytes) == (10 * 8, 10 * (1500 + 6 * 1000 + 1200))


def test_an_outbox_that_an_outage_fills_is_too_much(folder):
    small = settings(folder, "[delivery]\noutbox_bytes = 100000\n")
    day, week = (outage(small, costs(), days * 86_400.0, 10.0) for days in (1, 7))

    assert day.fits
    assert not week.fits
    assert day.full_after_s == pytest.approx(100_000 / 87_000 * 86_400.0)
    assert list(too_much(costs(), day)) == []
    assert "outbox_bytes" in "\n".join(too_much(costs(), week))


def test_more_streams_than_a_processor_can_serve_are_too_much(folder):
    many = costs(cost(streams=tuple(f"p{number}" for number in range(800))))

    told = "\n".join(too_much(many, outage(settings(folder), many, 60.0, 1.0)))

    assert "80% of a processor" in told


def test_a_state_that_is_saved_more_often_and_an_archive_write_more(folder):
    def sums(more: str) -> dict[str, float]:
        return {one.what: one.bytes for one in writes(settings(folder, more), costs(), 10.0)}

    usual = sums("")
    assert usual["states"] == 144 * 4096
    assert "archive" not in usual
    assert sums("[history]\narchive_bytes = 1000000\n")["archive"] == 8640 * 4096
    assert "rows around episodes" not in sums("[history]\nepisodes = 0\n")


def test_every_figure_has_its_unit(folder):
    settled, made = settings(folder), costs(cost(commissioning_bytes=7_000_000))
    told = outage(settled, made, 86_400.0, 10.0)
    options = SimpleNamespace(outage="24h", episodes=10.0)

    text = "\n".join([*lines(settled, made), *wear_lines(options, told, writes(settled, made, 10.0))])

    for part in ("45 MB resident with 1 streams", "0.40 MB each further stream of tiny", "0.100 ms a window",
                 "every 1 s: 0.100% each", "7.00 MB more while streams of tiny commission themselves",
                 "24h without a broker: 80 events, 0.09 MB of 16 MB", "10 episodes a day and stream"):  # fmt: skip
        assert part in text
