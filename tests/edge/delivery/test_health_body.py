"""Health says how the device is and whether anything is being lost."""

import json
from pathlib import Path

import pytest

from edge.delivery.figures import Durations, LinkCounts, health_body, process_figures
from edge.delivery.outbox import Outbox
from edge.wire.payload import encode_payload
from tests.helpers.alerts import alert


def test_health_tells_of_the_outbox_the_link_the_streams_and_the_process(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put(alert(1))
    inference_s = Durations()
    for milliseconds in range(1, 101):
        inference_s.add(milliseconds / 1000)

    body = json.loads(
        encode_payload(
            health_body(
                time=1763772000.0,
                uptime_s=12.34,
                outbox=outbox.counts(),
                link=LinkCounts(connected=True, connections=2),
                inference_s=inference_s,
                commit_s=outbox.commit_s,
                streams={"pump1": {"rows": 10, "late": 1}},
            )
        )
    )

    assert (body["time"], body["uptime_s"]) == (1763772000.0, 12.3)
    assert body["inference_ms"] == {"count": 100, "p50": 50.0, "p99": 99.0}
    assert body["commit_ms"]["count"] == 1
    assert (body["outbox"]["pending"], body["outbox"]["accepting"]) == (1, True)
    assert body["link"]["connections"] == 2
    assert body["streams"] == {"pump1": {"rows": 10, "late": 1}}
    assert 1_000_000 < body["rss_bytes"] < 10_000_000_000
    assert body["open_files"] > 2
    assert body["written_bytes"] >= 0


def test_what_the_system_does_not_tell_is_null(tmp_path: Path) -> None:
    figures = process_figures(proc=tmp_path)

    assert figures["rss_bytes"] is figures["open_files"] is figures["written_bytes"] is None


def test_a_refusing_disk_shows_in_health(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / "file" / "outbox.db")
    outbox.put(alert(1))

    counts = outbox.counts()

    assert (counts.accepting, counts.not_durable, counts.in_memory) == (False, 1, 1)


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (1, 1.0), (50, 50.0), (99, 99.0), (99.5, 100.0), (100, 100.0)]
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    durations = Durations()
    for value in range(100, 0, -1):
        durations.add(float(value))

    assert durations.percentile(percent) == expected


def test_durations_of_nothing_have_no_percentile_and_old_ones_go() -> None:
    durations = Durations(keep=2)
    assert durations.percentile(50) is None
    for value in (100.0, 1.0, 2.0):
        durations.add(value)

    assert durations.percentile(100) == 2.0
    assert durations.count == 3
