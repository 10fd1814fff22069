"""What files and standard input hold: CSV and JSON lines."""

import io

from hypothesis import strategies as st

from edge.readings.options import FileError, FileOptions
from edge.sources.lines import read_lines
from edge.wire.readings import FrameError
from tests.fuzz.inputs import damaged
from tests.fuzz.target import Target, finite

_CSV = (
    b"time,flow,pressure\n1763772004.5,1.0,2.0\n1763772005,,x\n",
    b"datetime;seq;board;flow\n2026-01-06 10:00:00;1;p1;1,5\n2026-01-06T10:00:01+02:00;2;p2;2.5\n",
    b'\xef\xbb\xbfTimestamp,"a,b",c\n2026-01-06,1,"2"\n',
)
_JSON = (b'{"time":1763772004.12,"seq":17,"values":{"flow":2.2}}\n{"board":"p1","values":{"flow":1}}\n',)
_OPTIONS = st.sampled_from(
    [
        {"format": format, "options": FileOptions(time_column=column, timezone=zone), "unit_s": unit_s}
        for format in ("auto", "csv", "json")
        for column in (None, "time", "flow", "nosuch")
        for zone in ("UTC", "Europe/Berlin", "Pacific/Apia")
        for unit_s in (1.0, 0.001)
    ]
)


def _lines(given: tuple[bytes, dict[str, object]]) -> None:
    text, options = given
    try:
        for line in read_lines(io.StringIO(text.decode("utf-8", "replace")), **options):  # type: ignore[arg-type]
            if not isinstance(line, FrameError):
                assert finite(line[1].values.values())
                assert finite([line[1].time])
    except (FrameError, FileError):
        return


TARGETS = (
    Target("CSV lines", 16, st.tuples(damaged(_CSV), _OPTIONS), _lines),
    Target("JSON lines", 8, st.tuples(damaged(_JSON), _OPTIONS), _lines),
)
