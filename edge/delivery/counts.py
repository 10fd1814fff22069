"""The figures that delivery reports in `health`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """What `health` says of the outbox."""

    pending: int
    """Events that no broker has acknowledged, on disk and in memory."""
    in_memory: int
    """Those of them that the disk refused."""
    history: int
    """Acknowledged events kept for `replay`."""
    size_bytes: int
    """Bytes of all events on disk; the file is up to twice as large, plus a write-ahead log of about 1 MB."""
    accepting: bool
    """Whether the disk took the last event."""
    disk_errors: int
    """Reads and writes that the disk refused."""
    not_durable: int
    """Events that went to memory instead."""
    dropped_updates: int
    """Pending `update`s deleted for want of room."""
    dropped_alerts: int
    """Pending `new`s and `end`s deleted for want of room."""
    set_aside: int
    """Damaged files renamed out of the way."""
    unreadable: int
    """Events on disk that no longer decode."""


@dataclass(slots=True)
class LinkCounts:
    """What `health` says of the connection to the broker; the network thread counts on."""

    connected: bool = False
    connections: int = 0
    """Made since the start."""
    acknowledged: int = 0
    """Events that a broker took."""
    unsendable: int = 0
    """Events given up because MQTT cannot carry them, such as those of a stream whose name is no topic."""
    errors: int = 0
    """Programming errors that ended a connection; each is in the log."""
