"""Runs, each replayed by a network that was not fitted on it."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from edge.detector.bundle.calibration import Calibration
from edge.detector.learn.runs import Run, Seen, Steps, played
from edge.detector.members.tuning import Tuning
from edge.detector.score.calibrations import Shape
from edge.detector.score.engine import Engine
from edge.detector.score.runtime import Network


def played_unseen(
    network: Network,
    second: Network | None,
    shape: Shape,
    streams: Sequence[tuple[Run, Calibration]],
    tuning: Tuning,
) -> Steps[Seen]:
    """All runs, each from its calibration; those that say so by the second network, which there must then be."""
    found: list[Seen] = []
    for judge, by_second in ((network, False), (second, True)):
        chosen = [at for at, (run, _) in enumerate(streams) if run.by_second == by_second]
        if not chosen:
            continue
        assert judge is not None, "a run waits for a second network"
        engine = Engine(judge, shape, len(chosen), tuning)
        for stream, at in enumerate(chosen):
            engine.commission(stream, streams[at][1])
        seen = yield from played(engine, [streams[at][0] for at in chosen])
        found.append(replace(seen, stream=np.array(chosen, np.intp)[seen.stream]))
    return found[0] if len(found) == 1 else _merged(found)


def _merged(found: Sequence[Seen]) -> Seen:
    stream = np.concatenate([seen.stream for seen in found])
    order = np.argsort(stream, kind="stable")
    return Seen(
        **{part.name: np.concatenate([getattr(seen, part.name) for seen in found])[order] for part in fields(Seen)}
    )
