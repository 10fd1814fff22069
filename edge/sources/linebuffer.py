"""Bytes from a line with no flow control, cut into lines of bounded length."""


class LineBuffer:
    """Cuts a stream of bytes at line ends and keeps at most `limit` bytes of an unfinished line.

    The piece before the first line end is dropped unless it starts like a frame: whoever opens
    a serial line opens it in the middle of one.

    >>> lines = LineBuffer(limit=16, start=b"$")
    >>> lines.feed(b"tail*00\\r\\n$a,1*")
    []
    >>> lines.feed(b"FF\\r\\n$b")
    [b'$a,1*FF']
    """

    def __init__(self, limit: int, start: bytes) -> None:
        self.overlong = 0
        """Lines dropped because they had no end within `limit` bytes."""
        self._limit, self._start = limit, start
        self._rest = b""
        self._skipping = False
        self._first = True

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completed, without their ends; empty ones are left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        whole = [line for line in (self._checked(line) for line in lines) if line]
        if len(self._rest) > self._limit:
            self._rest = b""
            self.overlong += not self._skipping
            self._skipping = True
        return whole

    def _checked(self, line: bytes) -> bytes:
        first, self._first = self._first, False
        if self._skipping:  # the end of a line whose start is gone
            self._skipping = False
            return b""
        if first and not line.startswith(self._start):
            return b""
        if len(line) > self._limit:
            self.overlong += 1
            return b""
        return line.rstrip(b"\r")
