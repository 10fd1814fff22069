"""Rows a second of the MQTT source by format, beside Offbeat's own: `python -m tests.bench.source_rates`.

Timed is what happens to a message from paho's callback on: topic and payload are decoded, named, dated and put into the
agent's inbox, which is emptied now and then as its loop does. The network and paho are left out: they cost every format
the same. A row is a message with all its channels; where a format sends a message a channel, it is compared with the
own format's message of one channel.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from edge.agent.inbox import Inbox
from edge.sources.intake import Intake
from edge.sources.messages import Messages
from edge.sources.settings import MqttSource
from tests.bench.tables import machine

CHANNELS = 8
_START_MS = 1_709_539_200_000
Sent = tuple[str, bytes]
"""Topic and payload."""


@dataclass(frozen=True)
class Kind:
    """What a format sends, over and over."""

    settings: MqttSource
    board: str
    channels: int
    births: Sequence[Sent]
    """Before anything is timed."""
    messages: Sequence[Sent]


def kinds(rows: int = 200) -> dict[str, Kind]:
    """Each format with so many different rows; names begin with the format's."""
    own = "sensors/pump/readings"
    found = {"offbeat": _many("offbeat", own, '{{"time":{s},"seq":{i},"values":{{{pairs}}}}}', rows)}
    found["offbeat, bare"] = _many("offbeat", own, '{{"values":{{"c0":{v}}}}}', rows, 1)
    found["mapped"] = _many("mapped", "site/pump/up", '{{"object":{{{pairs}}},"time":"{iso}"}}', rows)
    found["zigbee2mqtt"] = _many("zigbee2mqtt", "zigbee2mqtt/pump", '{{"last_seen":"{iso}",{pairs}}}', rows)
    tasmota = '{{"Time":"{local}","S":{{{pairs}}},"TempUnit":"C"}}'
    found["tasmota"] = _many("tasmota", "tele/pump/SENSOR", tasmota, rows)
    shelly = '{{"src":"pump","method":"NotifyStatus","params":{{"ts":{s},"em:0":{{"id":0,{pairs}}}}}}}'
    found["shelly"] = _many("shelly", "pump/events/rpc", shelly, rows)
    found["influx"] = _many("influx", "telegraf/pump/m", "m,host=pump {fields} {ms}000000", rows)
    found["sparkplug"] = _sparkplug(rows)
    found["esphome, bare"] = _many("esphome", "pump/sensor/c0/state", "{v}", rows, 1)
    found["homeassistant, bare"] = _many("homeassistant", "homeassistant/sensor/pump/state", "{v}", rows, 1)
    found["shelly, bare"] = _many("shelly", "shellies/pump/emeter/0/power", "{v}", rows, 1)
    return found


def rate(kind: Kind, seconds: float) -> float:
    """Rows a second.

    Raises:
        AssertionError: a row has other channels than were sent.
    """
    inbox = Inbox({("field", kind.board): len(kind.messages)})
    intake = Intake("field", inbox.put, {})
    messages = Messages(kind.settings, intake)
    for topic, payload in kind.births:
        messages.take(topic, payload, False)
    inbox.take(len(kind.births) + 1, 0.0)
    rows, spent = 0, 0.0
    while spent < seconds:
        began = time.perf_counter()
        for topic, payload in kind.messages:
            messages.take(topic, payload, False)
        taken = inbox.take(len(kind.messages), 0.0)
        spent += time.perf_counter() - began
        rows += len(taken)
        assert len(taken) == len(kind.messages), f"{kind.settings.format}: {len(taken)} rows of {len(kind.messages)}"
        assert all(len(one.readings.values) == kind.channels for one in taken), kind.settings.format
    return rows / spent


def rates(rounds: int, seconds: float, names: Sequence[str] = ()) -> dict[str, list[float]]:
    """Rows a second of each round; formats take turns, so that what else the machine does meets all."""
    chosen = {name: kind for name, kind in kinds().items() if not names or name in names}
    found: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, kind in chosen.items():
            found[name].append(rate(kind, seconds))
    return found


def beside_own(found: dict[str, list[float]]) -> dict[str, float]:
    """The median over the rounds of a format's rate by that of the own format in the same round."""
    return {
        name: statistics.median(
            mine / own for mine, own in zip(each, found["offbeat, bare" if "bare" in name else "offbeat"], strict=True)
        )
        for name, each in found.items()
    }


def _many(name: str, topic: str, form: str, rows: int, channels: int = CHANNELS) -> Kind:
    own = name == "offbeat"
    mapped = {"topics": ["site/+/up"], "below": "object", "time_path": "time"} if name == "mapped" else {}
    messages = [(topic, form.format(**_words(number)).encode()) for number in range(rows)]
    settings = MqttSource(name="field", type="mqtt", format=name, **mapped)  # type: ignore[arg-type]
    board = "homeassistant" if name == "homeassistant" else "pump"
    return Kind(settings, board, CHANNELS if own and channels != 1 else channels, (), messages)


def _words(number: int) -> dict[str, object]:
    values = [round(20 + channel + (number * 7919 % 1000) / 1000, 3) for channel in range(CHANNELS)]
    moment = time.gmtime(_START_MS / 1000 + number)
    return {
        "i": number,
        "v": values[0],
        "s": _START_MS / 1000 + number + 0.25,
        "ms": _START_MS + 1000 * number,
        "iso": time.strftime("%Y-%m-%dT%H:%M:%S", moment) + ".250Z",
        "local": time.strftime("%Y-%m-%dT%H:%M:%S", moment),
        "pairs": ",".join(f'"c{place}":{value}' for place, value in enumerate(values)),
        "fields": ",".join(f"c{place}={value}" for place, value in enumerate(values)),
        "values": values,
    }


def _sparkplug(rows: int) -> Kind:
    """A node's birth with names and aliases, then data by alias alone, as doubles with their times."""
    from tests.helpers.sparkplug import metric, payload

    at = _START_MS
    born = [metric(name=f"c{place}", alias=place, datatype=10, time_ms=at, double=20.0) for place in range(CHANNELS)]
    messages = []
    for number in range(rows):
        ms = at + 1000 * number
        values = [float(one) for one in _words(number)["values"]]  # type: ignore[attr-defined]
        data = [metric(alias=place, time_ms=ms, double=value) for place, value in enumerate(values)]
        messages.append(("spBv1.0/plant/NDATA/pump", payload(ms, data, seq=(number + 1) % 256)))
    births = [("spBv1.0/plant/NBIRTH/pump", payload(at, born, seq=0))]
    return Kind(MqttSource(name="field", type="mqtt", format="sparkplug"), "pump", CHANNELS, births, messages)


def main() -> None:
    """Print a table: the median rate, the smallest and largest, and the median share of the own format's."""
    parser = argparse.ArgumentParser("python -m tests.bench.source_rates", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each format in each round (0.2)")
    args = parser.parse_args()
    found = rates(args.rounds, args.seconds)
    shares = beside_own(found)
    print(f"{machine()}; {args.rounds} rounds of {args.seconds:g} s, {CHANNELS} channels a row, 1 where bare")
    print(f"{'format':<22}{'rows/s, median':>15}{'least':>10}{'most':>10}{'of own':>8}")
    for name, each in found.items():
        print(f"{name:<22}{statistics.median(each):>15,.0f}{min(each):>10,.0f}{max(each):>10,.0f}{shares[name]:>8.2f}")


if __name__ == "__main__":
    main()
