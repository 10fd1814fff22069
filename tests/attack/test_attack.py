"""The attacks that take seconds, as `make attack` runs them; the others are too long for `make test`."""

from collections.abc import Iterator

import pytest

from tests.attack.registry import KINDS, Attack, Runner, attacks
from tests.helpers.mosquitto import executable, missing

QUICK = [one for one in attacks() if one.quick]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    if executable() is None:
        missing("mosquitto (Debian: apt-get install mosquitto)")
    running = Runner()
    yield running
    running.close()


@pytest.mark.parametrize("attack", QUICK, ids=[one.name for one in QUICK])
def test_after_the_attack_the_agent_serves(runner: Runner, attack: Attack) -> None:
    outcome = runner.run(attack)

    assert outcome.failure == ""


def test_every_kind_has_attacks_each_with_a_name_of_its_own() -> None:
    names = [one.name for one in attacks()]

    assert {one.kind for one in attacks()} == {name.rpartition(".")[2] for name in KINDS}
    assert len(set(names)) == len(names) >= 60
