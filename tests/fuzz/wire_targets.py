"""What strangers send: readings, serial frames, requests, events."""

import itertools
import json
import tempfile
from collections import deque
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from edge.delivery.figures import LinkCounts
from edge.delivery.latest import LatestValues
from edge.delivery.outbox import Outbox
from edge.delivery.requests import Requests
from edge.delivery.session import Outgoing, Session
from edge.delivery.settings import DeliverySettings
from edge.mqtt.granted import Granted
from edge.mqtt.wishes import Message
from edge.sources.linebuffer import LineBuffer
from edge.wire.events import EventError, EventMessage, decode_message, encode_message
from edge.wire.frame import crc16, decode_frame
from edge.wire.readings import FrameError, Readings, decode_readings, encode_readings
from edge.wire.topics import DeviceTopics, board_of, valid_id
from tests.fuzz.inputs import damaged, with_other_values
from tests.fuzz.target import Target, finite
from tests.helpers.alerts import alert, rule_alert

_READINGS = (
    b'{"time":1763772004.12,"seq":17,"values":{"vibration":2.2,"flow":-11,"x":null}}',
    b'{"values":{"a":1e3}}',
    b'{"board":"p1","time":1,"values":{}}',
)
_BODIES = (b"pump1,17,1763772004120,vibration=2.2,flow=11.0", b"b,,,a=1", b"b-1,0,0,a=nan,b=,=3,c")
_LIMIT = 64
_LINES = (b"tail\r\n$a,1*00\r\n$b*11\n", b"$" + b"x" * (_LIMIT - 1) + b"\n\n$" + b"y" * _LIMIT + b"\r\n$c")


def _readings(payload: Any) -> None:
    try:
        found = decode_readings(payload if isinstance(payload, bytes) else json.dumps(payload))
    except FrameError:
        return
    assert finite(found.values.values())
    assert finite([found.time])
    assert not set(found.values) & set(found.rejected)
    assert decode_readings(encode_readings(found)) == Readings(found.values, found.time, found.seq)


def _frame(line: bytes) -> None:
    try:
        board, found = decode_frame(line)
    except FrameError:
        return
    assert valid_id(board)
    assert finite(found.values.values())
    assert finite([found.time])


def _sealed(body: bytes) -> bytes:
    return b"$%s*%04X\r\n" % (body, crc16(body))


def _lines_of(sent: tuple[bytes, bytes]) -> None:
    """However a line's bytes are cut up on their way, the same lines come out of it, and none is too long."""
    data, places = sent
    cut, whole = LineBuffer(_LIMIT, b"$"), LineBuffer(_LIMIT, b"$")
    ends = sorted(place * len(data) // 256 for place in places)
    found = [line for start, end in itertools.pairwise([0, *ends, len(data)]) for line in cut.feed(data[start:end])]
    assert found == whole.feed(data)
    assert all(0 < len(line) <= _LIMIT and b"\n" not in line for line in found)


def _event(payload: bytes) -> None:
    try:
        found = decode_message(payload)
    except EventError:
        return
    assert decode_message(encode_message(found)) == found


def _topic(topic: str) -> None:
    board = board_of(topic)
    assert board is None or (valid_id(board) and topic == f"sensors/{board}/readings")


class _Replies:
    """A connection that keeps what is published."""

    granted = Granted()
    longest_wait_s = 1.0

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.acknowledged: list[int] = []
        self.refused: list[tuple[int, str]] = []
        self.subscribed: list[tuple[str, str | None]] = []
        self.said: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes, **_: object) -> int:
        self.said.append((topic, payload))
        return len(self.said)

    def subscribe(self, topics: list[str]) -> None:
        pass

    def step(self, timeout_s: float, packets: int = 1) -> None:
        pass

    def stalled_s(self) -> float:
        return 0.0


class _Asked:
    """A device that answers `replay`, with a real outbox; made at the first request.

    The first hundred are answered, what comes faster than a hundred a second is only counted.
    """

    def __init__(self) -> None:
        self._session: Session | None = None
        self._asked = 0
        self._replies = _Replies()

    def __call__(self, payload: bytes) -> None:
        session = self._session = self._session or self._start()
        self._replies.messages.append(Message("offbeat/gw-1/request/replay", payload, False, 1, 1))
        session.step(0.0)
        answers = [body for topic, body in self._replies.said if topic == "offbeat/gw-1/response/replay"]
        self._replies.said.clear()
        self._asked += 1
        assert len(answers) == 1 or (not answers and self._asked > 100), "one answer to each request"
        assert all(json.loads(answer)["status"] in ("ok", "error") for answer in answers)

    def _start(self) -> Session:
        self._folder = tempfile.TemporaryDirectory(prefix="offbeat-fuzz-")
        topics = DeviceTopics("gw-1")
        outbox = Outbox(Path(self._folder.name) / "outbox.db")
        outbox.acknowledge([outbox.put(alert(number)) for number in range(5)])
        requests = Requests(topics, allow=["replay"])
        outgoing = Outgoing(topics, outbox, LatestValues(1.0), deque(maxlen=1), requests, LinkCounts())
        session = Session(self._replies, outgoing, DeliverySettings())  # type: ignore[arg-type]
        session.start()
        return session


_EVENTS = [
    encode_message(EventMessage(event, "gw-1", "7c41", 3)) for event in (alert(1), alert(2, "end"), rule_alert())
]
_REQUESTS = (b'{"since_seq":1,"transaction":7}', b'{"since_seq":0,"log":"7c41","transaction":{"a":[1]}}', b"")
_BODY = {"time": 1.0, "seq": 1, "values": {"a": 1.0, "b": 2}}

TARGETS = (
    Target("readings, damaged", 20, damaged(_READINGS), _readings),
    Target("readings, odd values", 8, with_other_values(_BODY), _readings),
    Target("serial frame, damaged", 10, damaged([_sealed(body) for body in _BODIES]), _frame),
    Target("serial frame, odd fields", 16, damaged(_BODIES).map(_sealed), _frame),
    Target("serial line, cut up", 6, st.tuples(damaged(_LINES), st.binary(max_size=6)), _lines_of),
    Target("event", 14, damaged(_EVENTS), _event),
    Target("readings topic", 4, st.text(max_size=10).map("sensors/{}/readings".format), _topic),
    Target("request", 6, damaged(_REQUESTS), _Asked()),
)
