"""Whether the sensors are heard: of the running agent where there is one, else by listening as it would."""

import threading
import time
from collections.abc import Iterator

from edge.agent.parts import open_reader
from edge.commands.upkeep.finding import Finding
from edge.config.settings import Config, StreamConfig
from edge.config.structure import nearest
from edge.detector.bundle.files import BundleError, load_bundle
from edge.mqtt.connection import ConnectError, Connection
from edge.sources.intake import Arrival, Intake
from edge.sources.settings import Reader, SourceError
from edge.wire.topics import DeviceTopics

_DAY_S = 86_400.0
Boards = dict[tuple[str, str], set[str]]
"""By source and board, the channels heard."""


def heard_by_agent(config: Config, seconds: float) -> Iterator[Finding]:
    """What the running agent retains of each stream; a serial line cannot be read by two."""
    topics = DeviceTopics(config.device.id, config.device.root)
    said: dict[str, str] = {}
    connection = Connection(config.broker, f"{config.broker.client_id or f'offbeat-{config.device.id}'}-doctor")
    try:
        connection.open(4.0)
        connection.subscribe([topics.availability("+")])
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0 and connection.connected and len(said) < len(config.stream):
            connection.step(left_s)
            while connection.messages:
                message = connection.messages.popleft()
                said[message.topic] = message.payload.decode("utf-8", "replace")
    except ConnectError as error:
        yield Finding("?", "sensors", f"an agent runs, and cannot be asked what it hears: {error}")
        return
    finally:
        connection.close(goodbye=True)
    for stream in config.stream:
        word = said.get(topics.availability(stream.id))
        if word == "online":
            yield Finding("ok", f"stream {stream.id}", "the running agent hears it")
        else:
            remedy = "see its trouble in health; offbeat-edge discover lists what boards send"
            yield Finding("do", f"stream {stream.id}", f"the running agent says {word or 'nothing'} of it; {remedy}")


def heard_now(config: Config, seconds: float) -> Iterator[Finding]:
    """Listen to each live source for so long, or until every stream has all its channels."""
    boards: Boards = {}
    ahead: dict[tuple[str, str], float] = {}
    enough = threading.Event()
    wanted = {stream.id: _wanted(stream) for stream in config.stream}

    def take(arrival: Arrival, wait: bool = False) -> None:  # noqa: ARG001
        boards.setdefault((arrival.source, arrival.board), set()).update(arrival.readings.values)
        if arrival.readings.time is not None:
            ahead[arrival.source, arrival.board] = arrival.readings.time - arrival.wall
        if all(wanted[one.id] <= boards.get((one.source or "", one.board or ""), set()) for one in config.stream):
            enough.set()

    readers: list[Reader] = []
    intakes: dict[str, Intake] = {}
    live = {source.name for source in config.source if source.live}
    for source in config.source:
        if source.live:
            try:
                intakes[source.name] = Intake(source.name, take, source.channels)
                reader = open_reader(source, intakes[source.name], config)
                reader.start()
                readers.append(reader)
            except SourceError:
                continue  # reported of the source
    enough.wait(seconds if readers else 0.0)
    for reader in readers:
        reader.stop()
    for stream in config.stream:
        if stream.source in live:
            finding = _judged(stream, wanted[stream.id], boards, seconds)
            why = _trouble(intakes[stream.source]) if stream.source in intakes and finding.level != "ok" else ""
            yield finding._replace(found=finding.found + why)
            yield from _dated(stream, ahead.get((stream.source or "", stream.board or ""), 0.0))


def _dated(stream: StreamConfig, ahead_s: float) -> Iterator[Finding]:
    """Whether a board's clock goes right, where it dates the rows."""
    if stream.time_from != "reading" or -_DAY_S <= ahead_s <= stream.max_future_s:
        return
    told = f"board {stream.board!r} dates its readings "
    now = time.time()
    if ahead_s > 100.0 * now and abs((now + ahead_s) / 1000.0 - now) < _DAY_S:
        told += 'in milliseconds; say time_unit = "ms" of the source'
    elif ahead_s > 0:
        told += f'{_span(ahead_s)} ahead, and they are dropped; set its clock, or say time_from = "arrival"'
    else:
        told += f'{_span(-ahead_s)} ago, and so will alerts be; set its clock, or say time_from = "arrival"'
    yield Finding("do", f"stream {stream.id}", told)


def _span(seconds: float) -> str:
    return f"{seconds / _DAY_S:.0f} days" if seconds > _DAY_S else f"{seconds:.0f} s"


def _trouble(intake: Intake) -> str:
    """Why it may be that a source lets nothing be heard."""
    if intake.down_reason:
        return f"; source {intake.source} is down: {intake.down_reason}"
    if intake.bad_frames:
        bad = intake.last_bad[:200]
        return f"; {intake.bad_frames} frames could not be read, the last: {bad}; look at the source's baud or format"
    return ""


def _wanted(stream: StreamConfig) -> set[str]:
    try:
        return set(load_bundle(stream.bundle).channel_names)
    except BundleError:
        return set()  # reported of the bundle


def _judged(stream: StreamConfig, wanted: set[str], boards: Boards, seconds: float) -> Finding:
    what, board = f"stream {stream.id}", stream.board or ""
    if (stream.source or "", board) not in boards:
        others = sorted({name for source, name in boards if source == stream.source})
        return Finding("do", what, f"nothing from board {board!r} in {seconds:g} s{nearest(board, others)}; is it on?")
    found = boards[stream.source or "", board]
    missing = sorted(wanted - found)
    if missing:
        return Finding(
            "do",
            what,
            f"board {board!r} sent no channel {missing[0]!r} in {seconds:g} s{nearest(missing[0], found - wanted)}",
        )
    return Finding("ok", what, f"board {board!r} sends {len(found)} channels")
