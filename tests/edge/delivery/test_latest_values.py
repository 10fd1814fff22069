"""Retained values: the newest only, and not too often."""

from edge.delivery.latest import STATES_PER_S, LatestValues


def test_of_many_values_only_the_newest_is_sent() -> None:
    latest = LatestValues(every_s=1.0)
    for number in range(1000):
        latest.put("state", b"%d" % number)

    assert latest.due(now=0.0, limit=10) == [("state", b"999")]


def test_a_topic_in_flight_waits_for_its_acknowledgement() -> None:
    latest = LatestValues(every_s=0.0)
    latest.put("state", b"1")
    latest.due(now=0.0, limit=10)
    latest.put("state", b"2")

    assert latest.due(now=5.0, limit=10) == []
    latest.acknowledged(["state"])
    assert latest.due(now=5.0, limit=10) == [("state", b"2")]


def test_a_change_that_is_not_urgent_waits_for_its_period_and_not_longer() -> None:
    latest = LatestValues(every_s=1.0)
    latest.put("state", b"1")
    latest.due(now=10.0, limit=10)
    latest.acknowledged(["state"])
    latest.put("state", b"2", urgent=False)

    assert latest.wait_s(now=10.25, limit=10) == 0.75
    assert latest.due(now=10.99, limit=10) == []
    assert latest.due(now=11.0, limit=10) == [("state", b"2")]


def test_an_urgent_change_is_not_forgotten_under_a_later_one() -> None:
    latest = LatestValues(every_s=60.0)
    latest.put("state", b"1")
    latest.due(now=0.0, limit=10)
    latest.acknowledged(["state"])
    latest.put("state", b"2", urgent=True)
    latest.put("state", b"3", urgent=False)

    assert latest.due(now=0.1, limit=10) == [("state", b"3")]


def test_what_the_broker_has_is_not_sent_again_until_a_reconnect() -> None:
    latest = LatestValues(every_s=0.0)
    latest.put("info", b"1")
    latest.due(now=0.0, limit=10)
    latest.acknowledged(["info"])
    latest.put("info", b"1")

    assert latest.settled
    assert latest.due(now=1.0, limit=10) == []
    latest.reconnected()
    assert not latest.settled
    assert latest.due(now=1.0, limit=10) == [("info", b"1")]


def test_no_more_topics_than_the_limit_are_in_flight_and_none_is_waited_for_meanwhile() -> None:
    latest = LatestValues(every_s=0.0)
    for number in range(5):
        latest.put(f"topic-{number}", b"x")

    assert len(latest.due(now=0.0, limit=3)) == 3
    assert latest.due(now=0.0, limit=3) == []
    assert latest.wait_s(now=0.0, limit=3) is None
    latest.acknowledged(["topic-0"])
    assert latest.wait_s(now=0.0, limit=3) == 0.0
    assert latest.due(now=0.0, limit=3) == [("topic-3", b"x")]


def test_very_many_topics_share_what_is_sent_in_a_second() -> None:
    latest = LatestValues(every_s=1.0)
    names = [f"state-{number}" for number in range(10 * STATES_PER_S)]
    for round_, now in enumerate((0.0, 1.0)):
        for name in names:
            latest.put(name, b"%d" % round_, urgent=round_ == 0)
        latest.acknowledged(topic for topic, _ in latest.due(now, limit=len(names)))

    assert latest.wait_s(now=1.0, limit=1) == 9.0
    assert latest.due(now=9.9, limit=len(names)) == []
    assert len(latest.due(now=10.0, limit=len(names))) == len(names)


def test_a_change_that_has_become_urgent_is_sent_once() -> None:
    latest = LatestValues(every_s=60.0)
    latest.put("state", b"1")
    latest.due(now=0.0, limit=10)
    latest.acknowledged(["state"])
    latest.put("state", b"2", urgent=False)
    latest.put("state", b"3")

    assert latest.due(now=1.0, limit=10) == [("state", b"3")]
    latest.acknowledged(["state"])
    assert latest.due(now=61.0, limit=10) == []
    assert latest.wait_s(now=61.0, limit=10) is None


def test_a_change_that_is_taken_back_is_not_sent() -> None:
    latest = LatestValues(every_s=1.0)
    latest.put("state", b"1")
    latest.due(now=0.0, limit=10)
    latest.acknowledged(["state"])
    latest.put("state", b"2", urgent=False)
    latest.put("state", b"1", urgent=False)

    assert latest.wait_s(now=0.5, limit=10) is None
    assert latest.due(now=2.0, limit=10) == []


def test_a_refresh_sends_what_the_broker_has_once_more_and_nothing_that_was_cleared() -> None:
    latest = LatestValues(1.0)
    latest.put("status", b"online")
    latest.put("gone", b"")
    sent = latest.due(0.0, 10)
    latest.acknowledged([topic for topic, _ in sent])

    latest.refresh()

    assert [one for now in (1.0, 2.0) for one in latest.due(now, 10)] == [("status", b"online")]
