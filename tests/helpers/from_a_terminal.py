"""Commands that are started as from a terminal, however the tests were: by `nohup`, or behind an `&` in a script."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def from_a_terminal(line: Sequence[str], ignored: Sequence[signal.Signals] = (), **streams: Any) -> Iterator[Any]:
    """The process, which heeds Ctrl-C and a lost terminal but for what is `ignored`; killed if it outlives this."""

    def take_heed() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    with subprocess.Popen(line, preexec_fn=take_heed, **streams) as process:
        try:
            yield process
        finally:
            process.kill()
