"""The answer to `status` as lines for a person."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from edge.watch.wording import duration_words, local_time

_STREAMS_AS = "{:<16} {:<14} {:<21} {:<14} {}"
_MOST_OPEN = 8


def lines_of(body: Mapping[str, Any]) -> list[str]:
    """A head, a line a stream with its open episodes below, and what is in trouble."""
    lines = [_head(body)]
    for bundle in body.get("bundles", ()):
        lines.append(f"bundle {bundle['name']} {bundle['sha256'][:12]}, {bundle['variant']} in {bundle['runtime']}: "
                     f"{', '.join(bundle['streams'])}")  # fmt: skip
    lines += _delivery(body)
    if streams := body.get("streams"):
        lines += ["", _STREAMS_AS.format("stream", "is", "since", "bundle", "open").rstrip()]
        for name, one in streams.items():
            lines += _stream(name, one)
    if troubles := body.get("troubles"):
        lines += ["", *(f"trouble: {one}" for one in troubles)]
    return lines


def _head(body: Mapping[str, Any]) -> str:
    device = f"{body.get('device')}"
    if body["running"] is None:
        return f"{device}: cannot be told"
    if not body["running"]:
        return f"{device}: not running"
    version = f", Offbeat {body['version']}" if body.get("version") else ""
    pid = f", process {body['pid']}" if body.get("pid") else ""
    since = f" since {_moment(body['started'])}" if body.get("started") else ""
    return f"{device}: runs{since}{version}{pid}"


def _delivery(body: Mapping[str, Any]) -> Iterator[str]:
    if broker := body.get("broker"):
        contact = f", last contact {_moment(broker['contact'])}" if broker.get("contact") else ", no contact yet"
        mqtt = f", MQTT {broker['mqtt']}" if broker.get("mqtt") else ""
        yield f"broker {broker['address']}: {'connected' if broker['connected'] else 'not connected'}{mqtt}{contact}"
    if outbox := body.get("outbox"):
        oldest = f", the oldest of {_moment(outbox['oldest'])}" if outbox.get("oldest") is not None else ""
        count = "unknown" if outbox["pending"] is None else outbox["pending"]
        yield f"outbox: {count} not delivered{oldest}"


def _stream(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    since = local_time(one["since"]) if one.get("since") else ""
    open_ = one.get("open") or []
    word = one["status"]
    if word == "commissioning" and one.get("wanted"):
        word = f"{one.get('collected') or 0} of {one['wanted']}"
        word = f"commissioning {word}"
    yield _STREAMS_AS.format(name, word, since, (one.get("bundle") or "")[:12], len(open_) or "").rstrip()
    for episode in open_[:_MOST_OPEN]:
        yield f"  {episode['severity']} {episode['kind']} {episode['id']} since {local_time(episode['start_time'])}"
    if (more := len(open_) - _MOST_OPEN + (one.get("more") or 0)) > 0:
        yield f"  and {more} more"


def _moment(at: float) -> str:
    age_s = time.time() - at
    ago = f" ({duration_words(age_s)} ago)" if 0 <= age_s < 1e9 else ""
    return f"{local_time(at)}{ago}"
