"""The agent as `offbeat-edge run` makes it, and how long after its reading each row was scored.

`python -m tests.bench.agent_probe CONFIG OUT.json STREAMS HZ`. Board number n of N sends at (n + 0.5) / N of every
period; its reading at t + that closes the row at t. On SIGTERM it writes the lags, seconds, and leaves.
"""

import json
import signal
import sys
import time
from array import array
from pathlib import Path
from typing import Any

from edge.agent.footprint import (
    give_back_memory,
    leave_out_accelerators,
    leave_out_openssl,
)


def phase(number: int, streams: int) -> float:
    """When in a period a board sends, part of it."""
    return (number + 0.5) / streams


def main() -> None:
    """Run until told to stop."""
    began = time.monotonic() - _since_start_s()
    config_file, out, streams, hz = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    from edge.config.settings import load_config

    config = load_config(config_file)
    leave_out_openssl(config.brokers)
    leave_out_accelerators()
    from edge.agent.assembly import assemble

    agent = assemble(config, config_file)
    give_back_memory()
    figures: dict[str, Any] = {}
    lags, phases = array("d"), {stream.id: phase(n, streams) / hz for n, stream in enumerate(config.stream)}
    say_state = agent.reporter.state

    def state(stream: str, outcome: Any, *more: Any) -> None:
        if outcome.score == outcome.score:  # not NaN: the window is full
            figures.setdefault("first_score_s", time.monotonic() - began)
            lags.append(time.time() - outcome.time - phases[stream])
        say_state(stream, outcome, *more)

    agent.reporter.state = state  # type: ignore[method-assign]
    ready = agent.notifier.ready

    def is_ready() -> None:
        figures["ready_s"] = time.monotonic() - began
        out.with_suffix(".ready").touch()
        ready()

    agent.notifier.ready = is_ready  # type: ignore[method-assign]
    signal.signal(signal.SIGTERM, lambda *_: agent.stop())
    agent.run()
    figures["variant"] = agent.inferences[0].loaded.variant.name if agent.inferences[0].loaded else None
    out.write_text(json.dumps({**figures, "lags": lags.tolist()}))


def _since_start_s() -> float:
    """How long this process has been there, seconds."""
    started = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]) / 100
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


if __name__ == "__main__":
    main()
