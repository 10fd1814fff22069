"""Which episodes are open, also when messages come late."""

from edge.watch.open_episodes import OpenEpisodes
from edge.wire.events import EventMessage, EventType
from tests.helpers.alerts import alert


def message(seq: int, event_type: EventType, episode: str = "e1", device: str = "gw-1") -> EventMessage:
    return EventMessage(alert(seq, event_type, episode=episode), device, "log", seq)


def test_an_episode_is_open_from_new_to_end_with_its_newest_message() -> None:
    episodes = OpenEpisodes()
    episodes.add(message(1, "new"))
    episodes.add(message(2, "update"))
    assert [each.seq for each in episodes] == [2]

    episodes.add(message(3, "end"))

    assert len(episodes) == 0


def test_one_whose_new_was_missed_is_open_from_its_update() -> None:
    episodes = OpenEpisodes()
    episodes.add(message(2, "update"))

    assert len(episodes) == 1


def test_a_late_update_neither_opens_an_ended_episode_nor_replaces_a_newer_message() -> None:
    episodes = OpenEpisodes()
    episodes.add(message(5, "end", "e1"))
    episodes.add(message(4, "update", "e1"))
    episodes.add(message(7, "update", "e2"))
    episodes.add(message(6, "new", "e2"))

    assert [(each.event.id, each.seq) for each in episodes] == [("e2", 7)]


def test_the_same_id_on_two_devices_is_two_episodes() -> None:
    episodes = OpenEpisodes()
    episodes.add(message(1, "new"))
    episodes.add(message(1, "new", device="gw-2"))
    episodes.add(message(2, "end"))

    assert [each.device for each in episodes] == ["gw-2"]


def test_what_never_ends_is_kept_within_bounds() -> None:
    episodes = OpenEpisodes(max_open=3, max_ended=3)
    for number in range(10):
        episodes.add(message(number, "new", f"e{number}"))
        episodes.add(message(number, "end", f"x{number}"))

    assert [each.event.id for each in episodes] == ["e7", "e8", "e9"]
