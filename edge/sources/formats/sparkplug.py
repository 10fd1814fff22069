"""Eclipse Sparkplug 3.0 (namespace spBv1.0): births, data with aliases, and deaths.

docs/how-to/read-sensors.md lists which clauses of the specification are covered and which are not.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from edge.sources.formats.message import Decoded, Message, board_id
from edge.sources.formats.sparkplug_payload import BOOLEAN, DATATYPE, INT, LONG, NULL, Metric, read_payload
from edge.wire.readings import FrameError, Readings

_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatype of a signed integer to its size; they are sent as unsigned ones."""
_NO_MEASUREMENT = frozenset((13,))
"""Datatypes that are sent as numbers and are none: DateTime."""
_OWN = frozenset(("bdSeq", "Node Control/Rebirth", "Node Control/Reboot", "Node Control/Next Server"))
_KINDS = frozenset(("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"))
_MOST_BOARDS, _MOST_TOPICS = 5_000, 20_000
_ASK_AGAIN_S = 60.0
"""A node is asked for its births this often at most, seconds."""

Ask = Callable[[str, bytes], None]
"""Publishes a request for births that were missed: topic and payload."""
Who = tuple[str, ...]
"""Group, node, and the device behind it where it is one."""
Aliases = Mapping[int | None, tuple[str, int]]
"""Name and datatype of each alias that a birth gave."""
_NO_ALIASES: Aliases = {}
_NO_NAME: tuple[None, int] = (None, 0)


@dataclass
class _Node:
    """What is known of an edge node."""

    boards: dict[Who, str] = field(default_factory=dict)
    """The node and its devices, as far as they were heard."""
    births: dict[Who, Aliases] = field(default_factory=dict)
    """Of those, what births said that still hold."""
    birth: int | None = None
    """bdSeq of its last NBIRTH."""
    seq: int | None = None
    asked: float = -inf
    """When it was asked for its births, monotonic."""

    @property
    def next_seq(self) -> int | None:
        """Of the message that follows."""
        return None if self.seq is None else (self.seq + 1) % 256


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a topic says."""

    kind: str
    who: Who
    board: str
    node: _Node


class Sparkplug:
    """The node, or the device behind it, is the board; channels are called as metrics are."""

    topics = ("spBv1.0/#",)

    def __init__(self, ask: Ask | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask_for = ask
        self._nodes: dict[Who, _Node] = {}
        self._topics: dict[str, _Topic | None] = {}
        self._monotonic = monotonic

    def decode(self, message: Message) -> Decoded:
        """Readings of data and of births, one for each time in them; of a death that its boards are offline."""
        topic = self._topics[message.topic] if message.topic in self._topics else self._topic(message)
        if topic is None:
            return
        node, kind = topic.node, topic.kind
        time_ms, seq, metrics = read_payload(message.payload)
        if kind == "NDEATH":
            if not _is_older(_birth_number(metrics), node.birth):
                yield from _offline(node.boards.values())
                node.births.clear()
                node.seq = None
            return
        if seq != node.next_seq:
            self._out_of_order(topic, seq)
        node.seq = seq
        if kind == "DDEATH":
            node.births.pop(topic.who, None)
            yield from _offline([topic.board])
            return
        if kind == "NBIRTH":
            node.births.clear()
            node.birth = _birth_number(metrics)
        if kind in ("NBIRTH", "DBIRTH"):
            node.births[topic.who] = _aliases(metrics)
        yield from self._readings(topic, time_ms, metrics)

    def _topic(self, message: Message) -> _Topic | None:
        levels = message.levels
        found = None
        if len(levels) in (4, 5) and levels[0] == "spBv1.0" and levels[2] in _KINDS:
            who = (levels[1], *levels[3:])
            node = self._node(who)
            found = _Topic(levels[2], who, node.boards.setdefault(who, board_id("_".join(who[1:]))), node)
            if len(node.boards) > _MOST_BOARDS:
                node.boards.pop(who)
                raise FrameError(f"more than {_MOST_BOARDS} devices of a Sparkplug node")
        if len(self._topics) < _MOST_TOPICS:
            self._topics[message.topic] = found
        return found

    def _node(self, who: Who) -> _Node:
        node = self._nodes.get(who[:2])
        if node is None:
            if len(self._nodes) >= _MOST_BOARDS:
                raise FrameError(f"more than {_MOST_BOARDS} Sparkplug nodes; name the group in topics")
            node = self._nodes[who[:2]] = _Node()
        return node

    def _out_of_order(self, topic: _Topic, seq: int | None) -> None:
        """A message of the node was lost, which may have been a birth."""
        if seq is not None and topic.node.seq is not None and topic.kind != "NBIRTH":
            self._ask(topic)

    def _ask(self, topic: _Topic) -> None:
        now = self._monotonic()
        if self._ask_for is not None and now - topic.node.asked >= _ASK_AGAIN_S:
            topic.node.asked = now
            group, name = topic.who[:2]
            self._ask_for(f"spBv1.0/{group}/NCMD/{name}", rebirth(time.time()))

    def _readings(self, topic: _Topic, time_ms: int | None, metrics: list[Metric]) -> Decoded:
        known = topic.node.births.get(topic.who, _NO_ALIASES)
        by_time: dict[int | None, tuple[dict[str, float], list[str]]] = {}
        of, good, bad = -1, {}, []  # type: int | None, dict[str, float], list[str]
        for name, alias, at, number, others in metrics:
            name, datatype = known.get(alias, _NO_NAME) if name is None else (name, 0)
            if name is None:
                self._ask(topic)
                raise FrameError(f"{'/'.join(topic.who)[:80]}: alias {alias} of a birth that was not heard")
            if name in _OWN:
                continue
            if at != of:
                of, (good, bad) = at, by_time.setdefault(time_ms if at is None else at, ({}, []))
            value = _value(number, others, datatype) if others else number
            if value is not None and isfinite(value):
                good[name] = value
            elif value is not None or NULL in others:
                bad.append(name)
        for at, (values, rejected) in by_time.items():
            if values or rejected:
                yield topic.board, Readings(values, None if at is None else at / 1000, rejected=tuple(rejected))


def rebirth(now: float) -> bytes:
    """The payload of a command that asks a node for its births; `now` in Unix seconds.

    Source: specification, "Rebirth Request": the metric Node Control/Rebirth, a boolean that is true.
    """
    name = b"Node Control/Rebirth"
    one = bytes((0x0A, len(name))) + name + bytes((DATATYPE, 11, BOOLEAN, 1))
    stamp, out = int(now * 1000), b""
    while stamp > 0x7F:
        out, stamp = out + bytes((stamp & 0x7F | 0x80,)), stamp >> 7
    return b"\x08" + out + bytes((stamp,)) + bytes((0x12, len(one))) + one


def _is_older(death: int | None, birth: int | None) -> bool:
    """Whether a death is that of a session before the birth's: a will may come late. Numbers go round at 256.

    Some publishers give a death the number of the session to come (pysparkplug 0.6.1); that is no reason to miss it.
    """
    return death is not None and birth is not None and 0 < (birth - death) % 256 < 128


def _birth_number(metrics: list[Metric]) -> int | None:
    """bdSeq, which ties a death to the birth of the same session."""
    return next((others.get(LONG, others.get(INT)) for name, _, _, _, others in metrics if name == "bdSeq"), None)


def _aliases(metrics: list[Metric]) -> Aliases:
    return {
        alias: (name, others.get(DATATYPE, 0))
        for name, alias, _, _, others in metrics
        if name is not None and alias is not None
    }


def _offline(boards: Iterable[str]) -> Decoded:
    for board in boards:
        yield board, Readings({}, offline=True)


def _value(number: float | None, others: Mapping[int, int], datatype: int) -> float | None:
    """A metric's number; None where it is null, or of another kind."""
    if others.get(NULL):
        return None
    if number is not None:
        return number
    datatype = others.get(DATATYPE, datatype)
    if datatype in _NO_MEASUREMENT:
        return None
    if BOOLEAN in others:
        return float(bool(others[BOOLEAN]))
    whole = others.get(LONG, others.get(INT))
    bits = _BITS.get(datatype)
    if whole is not None and bits is not None:
        whole &= (1 << bits) - 1
        whole -= (1 << bits) if whole >> (bits - 1) else 0
    return None if whole is None else float(whole)
