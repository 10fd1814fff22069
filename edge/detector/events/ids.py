"""Ids of episodes: ordered by time, without a clock of their own."""

import uuid


def episode_id(time: float, entropy: bytes) -> str:
    """A version 7 UUID of a time in Unix seconds and 10 random bytes (RFC 9562, section 5.7)."""
    milliseconds = max(0, int(time * 1000)) & (2**48 - 1)
    number = milliseconds << 80 | int.from_bytes(entropy[:10], "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=number))
