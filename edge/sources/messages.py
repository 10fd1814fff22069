"""What MQTT messages of a source hold: boards and their readings, in Offbeat's own form or another's."""

import logging
from typing import TYPE_CHECKING

from edge.sources.intake import Intake, in_seconds
from edge.sources.settings import MqttSource
from edge.wire.readings import FrameError, decode_readings
from edge.wire.topics import board_of, readings_topic

if TYPE_CHECKING:
    from edge.sources.formats.message import Decoder
    from edge.sources.formats.sparkplug import Ask

log = logging.getLogger(__name__)


class Messages:
    """Hands the readings of messages over to a source's intake; a bad message costs itself alone."""

    def __init__(self, settings: MqttSource, intake: Intake, ask: "Ask | None" = None) -> None:
        self._settings, self._intake = settings, intake
        self._unit_s = 0.001 if settings.time_unit == "ms" else 1.0
        self._decoder = decoder_of(settings, ask)
        if self._decoder is not None:
            from edge.sources.formats.message import Message

            self._message = Message
        usual = (readings_topic("+", settings.root),) if self._decoder is None else self._decoder.topics
        self.topics = tuple(settings.topics) or usual
        """To subscribe to."""

    def take(self, topic: str, payload: bytes, retained: bool) -> None:
        """One message."""
        if retained and not self._settings.retained:  # a retained reading is as old as it likes
            return
        where = topic[:80]
        try:
            if self._decoder is not None:
                for board, readings in self._decoder.decode(self._message(topic, payload)):
                    self._intake.take(board, readings)
            elif (own := self._board(topic)) is not None:
                where = f"board {own}"
                self._intake.take(own, in_seconds(decode_readings(payload), self._unit_s))
        except FrameError as error:
            self._intake.bad(error if self._decoder is not None else f"{where}: {error}")
        except Exception as error:  # what no decoder thought of; the thread would end, and the source with it
            self._intake.bad(f"{where}: {type(error).__name__}: {error}")
            log.debug("unexpected error in a message", exc_info=True)

    def _board(self, topic: str) -> str | None:
        """The board of a topic of the own format; None where it is another's."""
        if not self._settings.topics:
            return board_of(topic, self._settings.root)
        from edge.sources.formats.mapped import matches
        from edge.sources.formats.message import board_id

        levels = topic.split("/")
        pattern = next((one.split("/") for one in self.topics if matches(one, levels)), [])
        return board_id(levels[pattern.index("+")]) if "+" in pattern else None


def decoder_of(settings: MqttSource, ask: "Ask | None" = None) -> "Decoder | None":
    """What reads the source's messages; None for the own format. `ask` publishes what a format has to ask."""
    if settings.format == "offbeat":
        return None
    # Imported where one is configured: they cost memory.
    from edge.sources.formats.choosing import FORMATS, Scaled
    from edge.sources.formats.mapped import Mapped

    decoder: Decoder
    if settings.format == "mapped":
        decoder = Mapped(
            topics=tuple(settings.topics),
            board_level=settings.board_level,
            channel_level=settings.channel_level,
            values=settings.values,
            below=settings.below,
            time_path=settings.time_path,
            unit_s=0.001 if settings.time_unit == "ms" else 1.0,
        )
    elif settings.format == "sparkplug":
        from edge.sources.formats.sparkplug import Sparkplug

        decoder = Sparkplug(ask if settings.rebirth else None)
    else:
        decoder = FORMATS[settings.format]()
    return Scaled(decoder, settings.scale, settings.offset) if settings.scale or settings.offset else decoder
