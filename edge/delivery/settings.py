"""How delivery behaves; the defaults suit a gateway on a wired or mobile link."""

from attrs import field, frozen, validators

_positive = validators.and_(validators.gt(0.0), validators.le(1e9))


@frozen(kw_only=True)
class DeliverySettings:
    """Limits and waits of the publisher."""

    max_inflight: int = field(default=10, validator=validators.gt(0))
    """Events sent and not yet acknowledged, at most; as many retained topics again."""
    drain_per_s: float = field(default=50.0, validator=_positive)
    """Events sent a second, at most: what waited during an outage must not flood the broker."""
    ack_timeout_s: float = field(default=5.0, validator=_positive)
    """Without an acknowledgement for this long while one is due, the connection is given up and made anew, seconds."""
    confirm_after_s: float = field(default=2.0, validator=validators.and_(validators.ge(0.0), validators.le(1e9)))
    """An acknowledged event counts as delivered once the connection has lasted this much longer, seconds; until then
    the next connection sends it again. Mosquitto acknowledges a moment before it writes to disk."""
    connect_timeout_s: float = field(default=4.0, validator=_positive)
    """For the TCP connection, and again for the broker's greeting, seconds."""
    retry_first_s: float = field(default=0.5, validator=_positive)
    """Wait after the first failed attempt to connect, seconds; doubles up to `retry_longest_s`."""
    retry_longest_s: float = field(default=3.0, validator=_positive)
    """With the time-out of an attempt this keeps recovery under 10 s after the broker is back."""
    state_every_s: float = field(default=1.0, validator=validators.and_(validators.ge(0.0), validators.le(1e9)))
    """A stream's `state` is sent this often at most, seconds, unless its alarm or episode changes."""
    retained_every_s: float = field(default=300.0, validator=_positive)
    """What is retained is sent again this often, seconds: another client's last will, or a leftover, may have replaced
    it."""
    cloudevents: bool = False
    """Whether events travel in a CloudEvents envelope; readers of this version and later take both."""
    outbox_bytes: int = field(default=16_000_000, validator=validators.ge(100_000))
    """Events kept on disk, at most: some 10,000. History goes first, then the oldest `update`s, `new`, `end` last."""
    history: int = field(default=1000, validator=validators.ge(0))
    """Acknowledged events kept for the request `replay`, and to find episodes without an `end` after a mishap."""
