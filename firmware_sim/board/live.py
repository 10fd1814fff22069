"""A run over a live link: messages at their moment until the end or a signal."""

from typing import Protocol

from edge.wire.readings import Readings
from firmware_sim.board.fleet import Run, messages
from firmware_sim.board.pace import Pace


class Link(Protocol):
    """A way out of the board."""

    lost: int
    """Readings that could not be sent."""

    def open(self) -> None:
        """Make it ready to send."""

    def send(self, board: str, readings: Readings) -> None:
        """Send one reading of `board`, or count it as lost."""

    def close(self) -> None:
        """Finish what is on its way and release the endpoint."""


def play(run: Run, link: Link, pace: Pace) -> tuple[int, float]:
    """Send the run over an open link; the number of readings given to it and the simulated seconds that passed."""
    sent, since_s = 0, 0.0
    for message, board in messages(run):
        if not pace.wait_for(message.sent_at):
            return sent, since_s
        link.send(board, message.readings)
        sent, since_s = sent + 1, message.sent_at
    return sent, since_s if run.settings.duration_s is None else run.settings.duration_s
