"""`python -m edge.prometheus.health [URL]`: whether an agent serves, by its metrics; the health check of a container.

It asks what is served, not whether a process is there: metrics that are fresh, every stream judged or commissioning
itself, a disk that takes events. A broker that is away is no fault of the agent's, which keeps its alerts meanwhile.
"""

import os
import sys
import time
from collections.abc import Iterator
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

USUAL = "http://127.0.0.1:9469/metrics"
VARIABLE = "OFFBEAT_METRICS"
"""Environment variable with another URL."""
STALE_S = 120.0
"""Four health messages at their usual pace; a loop that hangs publishes none, while its metrics go on being served."""
_TIMEOUT_S = 4.0


def problems(text: str, now_s: float) -> list[str]:
    """What keeps an agent from serving, by what `/metrics` gives; empty where nothing does.

    >>> calm = 'offbeat_health_timestamp_seconds 90.0\\noffbeat_stream_state{stream="a",state="unknown"} '
    >>> problems(calm + "0.0\\n", now_s=100.0), problems(calm + "1.0\\n", now_s=100.0)
    ([], ['stream a is not judged'])
    """
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    values = {sample.name: sample.value for sample in samples if not sample.labels}
    unknown = {
        sample.labels["stream"]: sample.value
        for sample in samples
        if sample.name == "offbeat_stream_state" and sample.labels["state"] == "unknown"
    }
    return list(_problems(values, unknown, now_s))


def _problems(values: dict[str, float], unknown: dict[str, float], now_s: float) -> Iterator[str]:
    published_s = values.get("offbeat_health_timestamp_seconds")
    if published_s is None:
        yield "no health message yet"
    elif now_s - published_s > STALE_S:
        yield f"the last health message is {now_s - published_s:.0f} s old"
    if not unknown:
        yield "no stream is served yet"
    yield from (f"stream {stream} is not judged" for stream, value in unknown.items() if value)
    if values.get("offbeat_outbox_accepting") == 0:
        yield "the disk takes no events"


def main(url: str) -> int:
    """Print a line; exit status 0 where the agent serves, else 1."""
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as answer:
            found = problems(answer.read().decode(), time.time())
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        found = [f"{url}: {reason}; agent.toml wants [prometheus] with this port, or {VARIABLE} the right address"]
    print("; ".join(found) or "serving")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get(VARIABLE, USUAL)))
