"""A stream forgets what it has learnt: wherever that is cut, it is as it was or commissioned anew, never in between."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.agent.inference import Inference
from edge.agent.served import Served
from edge.delivery.spool import Spool
from edge.detector.bundle.files import Bundle
from edge.detector.events.episode import Look
from edge.state.recalibration import RecalibrationError, Recalibrations
from tests.edge.agent.test_live_commissioning import OWN, ROWS, feed, inference
from tests.helpers.tiny_bundle import write_tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


def commissioned(folder: Path, bundle: Bundle, episode: bool = False) -> Inference:
    """A stream that has its own calibration, and perhaps an anomaly that is open."""
    one = inference(folder, bundle)
    feed(one, 0, ROWS)
    while one.work(1.0):
        pass
    feed(one, ROWS, 5)
    if episode:
        one.publish(OWN, one.loaded.group._events[OWN].open_anomaly(Look(ROWS + 5.0, 1.5), math.nan))
    one.save(OWN)
    return one


def served(one: Inference) -> Served:
    return Served("own", ("rig", "own"), one, OWN)


def is_old(one: Inference) -> bool:
    return one.loaded.group.calibration(OWN) is not None


def told(one: Inference) -> list[tuple[str, str | None]]:
    return [(event.event_type, event.ended_by) for event in one.snapshots._ledger.outbox.events()]


def test_what_was_learnt_is_forgotten_and_the_stream_commissions_itself_anew(tmp_path, bundle):
    one = commissioned(tmp_path, bundle)

    assert served(one).recalibrate(back=False) == ROWS

    assert not is_old(one)
    assert {outcome.anomaly for outcome in feed(one, ROWS + 5, 10) if outcome.stream == OWN} == {"commissioning"}
    assert one.collected(OWN) == 10
    one.save(OWN)
    assert not is_old(inference(tmp_path, bundle))


def test_the_other_stream_of_the_bundle_is_left_alone(tmp_path, bundle):
    one = commissioned(tmp_path, bundle)
    served(one).recalibrate(back=False)

    assert {outcome.anomaly for outcome in feed(one, ROWS + 5, 3) if outcome.stream != OWN} == {"OFF"}


def test_an_open_episode_is_ended_and_the_event_says_why(tmp_path, bundle):
    one = commissioned(tmp_path, bundle, episode=True)

    served(one).recalibrate(back=False)

    assert told(one) == [("new", None), ("end", "recalibrated")]
    assert not one.loaded.streams[OWN].in_episode
    assert told(inference(tmp_path, bundle)) == [("new", None), ("end", "recalibrated")]


def test_it_can_be_taken_back_once(tmp_path, bundle):
    one = commissioned(tmp_path, bundle)
    before = one.loaded.group.snapshot(OWN)["calibration"]
    served(one).recalibrate(back=False)
    feed(one, ROWS + 5, 20)

    assert served(one).recalibrate(back=True) is None

    assert one.loaded.group.snapshot(OWN)["calibration"] == before
    with pytest.raises(RecalibrationError, match="nothing is kept"):
        served(one).recalibrate(back=True)
    again = inference(tmp_path, bundle)
    assert again.loaded.group.snapshot(OWN)["calibration"] == before
    assert again.collected(OWN) == 0


def test_rows_that_were_collected_before_do_not_count(tmp_path, bundle):
    one = inference(tmp_path, bundle)
    feed(one, 0, ROWS - 5)
    served(one).recalibrate(back=False)
    feed(one, ROWS, 10)
    one.save(OWN)

    assert inference(tmp_path, bundle).collected(OWN) == 10


def test_with_a_stopped_agent_a_note_is_enough(tmp_path, bundle):
    commissioned(tmp_path, bundle, episode=True)
    Recalibrations(tmp_path / "streams").ask("own")

    one = inference(tmp_path, bundle)

    assert not is_old(one)
    assert told(one)[-1] == ("end", "recalibrated")
    assert is_old(_taken_back(tmp_path, bundle))


def _taken_back(folder: Path, bundle: Bundle) -> Inference:
    Recalibrations(folder / "streams").ask_back("own")
    return inference(folder, bundle)


def test_a_note_is_taken_back_before_anything_was_done(tmp_path, bundle):
    commissioned(tmp_path, bundle)
    asked = Recalibrations(tmp_path / "streams")
    asked.ask("own")
    asked.ask_back("own")

    assert is_old(inference(tmp_path, bundle))


class _PowerCutError(BaseException):
    pass


@contextmanager
def cut_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The power goes before the `step`-th change of a file or the outbox; the list has the steps that were done."""
    done: list[int] = []

    def counted(action: Callable) -> Callable:
        def wrapped(*arguments, **named):
            if len(done) == step:
                raise _PowerCutError
            done.append(len(done))
            return action(*arguments, **named)

        return wrapped

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "fsync")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        patch.setattr(Spool, "append", counted(Spool.append))
        yield done


@pytest.mark.parametrize("back", [False, True])
def test_wherever_the_power_is_cut_it_is_old_or_anew_and_the_episode_fits(tmp_path, bundle, monkeypatch, back):
    seen, step = set(), 0
    while True:
        folder = tmp_path / str(step)
        one = commissioned(folder, bundle, episode=not back)
        if back:
            served(one).recalibrate(back=False)
        with cut_at(step, monkeypatch) as done:
            try:
                served(one).recalibrate(back)
                cut = False
            except _PowerCutError:
                cut = True
        again = inference(folder, bundle)
        old = is_old(again)
        seen.add(old)
        if not back:
            assert ("end", "recalibrated") in told(again) or old, f"step {step}"
            assert ("end", "recalibrated") not in told(again) or not old, f"step {step}"
        assert is_old(inference(folder, bundle)) == old, f"step {step}: it changes with another start"
        if not cut:
            assert old == back
            break
        step = len(done) + 1

    assert seen == {False, True}
    assert step >= 5
