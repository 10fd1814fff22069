"""The request `recalibrate`: after maintenance a stream forgets what it has learnt, and commissions itself anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge.delivery.requests import RequestError
from edge.state.recalibration import RecalibrationError

_LONGEST = 200


class Recalibrated(Protocol):
    """A stream as the agent serves it."""

    @property
    def id(self) -> str: ...
    def recalibrate(self, back: bool) -> int | None:
        """Forget, or bring back; rows that are collected then, None where it is judged by a calibration."""


@dataclass
class Recalibrating:
    """Only in the agent's thread."""

    forgotten: Callable[[str, bool], None]
    """Told of a stream that knows nothing of its rows any more, and whether it commissions itself."""

    def ask(self, fields: Mapping[str, Any], streams: Sequence[Recalibrated]) -> dict[str, Any]:
        """`{"stream": …, "undo": …, "by": …}`; with `undo` what was forgotten last comes back."""
        name, undo = fields.get("stream"), fields.get("undo", False)
        if unknown := fields.keys() - {"stream", "undo", "by"}:
            raise RequestError(f'recalibrate takes "stream", "undo" and "by", not {sorted(unknown)[0][:_LONGEST]!r}')
        if not isinstance(name, str) or not isinstance(undo, bool):
            raise RequestError(
                'recalibrate wants "stream", its id, and "undo", true or false, where it is to come back'
            )
        stream = next((one for one in streams if one.id == name), None)
        if stream is None:
            ids = ", ".join(one.id for one in streams)[: 5 * _LONGEST]
            raise RequestError(f"there is no stream {name[:_LONGEST]!r}; there are {ids}")
        try:
            rows = stream.recalibrate(undo)
        except RecalibrationError as error:
            raise RequestError(str(error)) from error
        except OSError as error:
            raise RequestError(f"stream {name}: the disk refuses, nothing has changed: {error.strerror}") from error
        self.forgotten(name, rows is not None)
        return {"stream": name, "undone": undo, "collects_rows": rows}
