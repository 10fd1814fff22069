"""The short form of `python -m tests.chaos.switching`."""

from tests.chaos.switching import run


def test_switched_under_load_and_cut_in_the_middle_there_is_always_a_whole_bundle(tmp_path):
    figures = run(tmp_path, switches=4, cuts=3, seed=17)

    assert figures["neither"] == 0
    assert figures["ends of the agent by itself"] == 0
    assert figures["commands that failed"] == 0
    assert figures["looks"] > 100
