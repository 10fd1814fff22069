"""Asks devices to send alerts again: what a watch missed, and what was before it began."""

import time
import uuid
from collections.abc import Callable
from typing import Any

_ANSWER_S = 10.0
"""How long a device may take to answer, seconds."""

Ask = Callable[[str, str, dict[str, Any]], bool]
"""Sends a request; whether it could be."""


class Replays:
    """Requests `replay` that are under way; `note` is told what comes of them."""

    def __init__(self, ask: Ask, note: Callable[[str], None]) -> None:
        self._ask, self._note = ask, note
        self._run = uuid.uuid4().hex[:8]
        self._waiting: dict[str, tuple[str, float]] = {}  # transaction: device, and when it is overdue
        self._number = 0

    def want(self, device: str, since_seq: int, log: str | None = None) -> None:
        """Ask for a device's alerts from a number on; one question a device at a time."""
        if any(asked == device for asked, _ in self._waiting.values()):
            return
        self._number += 1
        transaction = f"watch-{self._run}-{self._number}"
        fields = {"since_seq": since_seq, "transaction": transaction, **({} if log is None else {"log": log})}
        if self._ask(device, "replay", fields):
            self._waiting[transaction] = device, time.monotonic() + _ANSWER_S

    def answered(self, device: str, command: str, body: dict[str, Any]) -> None:
        """An answer, perhaps to another's question."""
        transaction = body.get("transaction")
        if command != "replay" or not isinstance(transaction, str) or transaction not in self._waiting:
            return
        if body.get("status") == "accepted":
            return
        del self._waiting[transaction]
        if body.get("status") != "ok":
            self._note(f"{device} does not send its alerts again: {str(body.get('message'))[:200]}")

    def look(self) -> None:
        """Give up what stays without an answer; to be called now and then."""
        now = time.monotonic()
        for transaction, (device, until) in list(self._waiting.items()):
            if now >= until:
                del self._waiting[transaction]
                self._note(f"{device} does not say whether it sends its alerts again; is its agent running?")
