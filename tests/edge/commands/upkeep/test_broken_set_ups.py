"""Each set-up that is broken in one way, before the whole of `doctor`: the line that says what to do."""

import pytest

from edge.commands.sizing import measure
from tests.edge.commands.upkeep.broken_links import LINKS, SECRET
from tests.edge.commands.upkeep.broken_set_ups import BROKEN, HEALTHY, examined
from tests.helpers.mosquitto import executable, missing


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """What an agent takes is measured elsewhere."""
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")
    monkeypatch.setattr(measure, "memory_of", lambda *_: 60_000_000)


def test_where_all_is_well_nothing_fails(tmp_path):
    status, lines = examined(HEALTHY, tmp_path)

    assert status in (0, 1)  # this machine may have something to do
    assert [line for line in lines if line.startswith("FAIL")] == []
    assert any(line.startswith("ok") and HEALTHY.said in line for line in lines)


@pytest.mark.parametrize("set_up", [*BROKEN, *LINKS], ids=lambda set_up: set_up.what.replace(" ", "-"))
def test_what_is_broken_is_named_with_what_to_do(tmp_path, set_up):
    status, lines = examined(set_up, tmp_path)

    found = [line for line in lines if line.split()[0] == set_up.level and set_up.said in line]
    assert found, "\n".join(lines)
    assert status == (2 if any(line.startswith("FAIL") for line in lines) else 1)
    assert len(lines) == len(set(lines)), "nothing is said twice"
    assert not any(SECRET in line for line in lines)
