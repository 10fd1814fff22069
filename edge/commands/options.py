"""The commands of `offbeat-edge`: their options, and where each is. Nothing that a command needs is imported here."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Command(NamedTuple):
    """One command of `offbeat-edge`."""

    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    where: str
    """Module below `edge.commands` and function in it, which takes the options and gives the exit status."""


def _add_config(parser: argparse.ArgumentParser, help_: str = "agent.toml") -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help=help_)


def _add_nothing(_parser: argparse.ArgumentParser) -> None:
    pass


def _add_ack(ack: argparse.ArgumentParser) -> None:
    _add_config(ack, "the running agent's agent.toml")
    ack.add_argument("event_id", metavar="EVENT_ID", help="the episode, as its events and the stream's state name it")
    ack.add_argument("--by", metavar="NAME", help="who says so; default the user")


def _add_snooze(snooze: argparse.ArgumentParser) -> None:
    _add_ack(snooze)
    snooze.add_argument("--for", dest="time", default="1h", metavar="TIME", help="such as 30min, 2h, 1d (1h)")
    snooze.add_argument("--end", action="store_true", help="end it before its time")


def _add_rename(rename: argparse.ArgumentParser) -> None:
    rename.add_argument("--config", type=Path, required=True, metavar="FILE", help="agent.toml, with the new name")
    rename.add_argument("old", metavar="OLD", help="the stream's id as it was")
    rename.add_argument("new", metavar="NEW", help="as it is in the config now")


def _add_normal(normal: argparse.ArgumentParser) -> None:
    normal.add_argument("--config", type=Path, required=True, metavar="FILE", help="the running agent's agent.toml")
    what = normal.add_mutually_exclusive_group(required=True)
    what.add_argument("event_id", nargs="?", metavar="EVENT_ID", help="an anomaly: what looks like it alerts no more")
    what.add_argument("--revoke", metavar="EVENT_ID", help="alert on what looks like it again")
    what.add_argument("--list", action="store_true", help="what is called normal, and what could be")
    normal.add_argument("--by", metavar="NAME", help="who says so; default the user")


def _add_watch(watch: argparse.ArgumentParser) -> None:
    _add_broker(watch)
    watch.add_argument("--root", help="topic above the devices; default offbeat")
    watch.add_argument("--device", help="one device; default all, or that of --config")
    watch.add_argument("--json", action="store_true", help="print payloads as they came, one a line")
    watch.add_argument("--all", action="store_true", help="every alert; else once for what fails together")
    watch.add_argument("--quiet", metavar="FROM-UNTIL", help="local hours in which only critical is told: 22:00-07:00")
    watch.add_argument("--a-day", type=int, default=20, metavar="N", help="new ones told a day, beyond critical (20)")
    watch.add_argument("--stream", help="one stream; default all")
    watch.add_argument("--severity", choices=["warning", "critical"], help="one severity; default both")
    watch.add_argument("--since", metavar="TIME", help="also what was since then: 30m, 2h, 1d or a date and time")
    watch.add_argument("--no-session", action="store_true", help="the broker keeps nothing while this is away")
    watch.add_argument("--until-event", action="store_true", help="end with the first alert; 1 where none came")
    watch.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="end after so long")
    _add_web(watch.add_argument_group("the page, in place of the terminal (pip install 'offbeat[web]')"))


def _add_web(web: argparse._ArgumentGroup) -> None:
    web.add_argument("--web", action="store_true", help="serve a live page")
    web.add_argument("--web-port", type=int, default=8080, metavar="PORT", help="(8080)")
    web.add_argument("--web-host", default="127.0.0.1", metavar="ADDRESS", help="beyond this machine (127.0.0.1)")
    web.add_argument("--web-password-hash", type=Path, metavar="FILE", help="what `offbeat-edge password` prints")
    web.add_argument("--web-cert", type=Path, metavar="FILE", help="serve HTTPS")
    web.add_argument("--web-key", type=Path, metavar="FILE")
    web.add_argument("--web-behind-proxy", action="store_true", help="a proxy on this machine serves it over HTTPS")
    web.add_argument("--web-store", type=Path, metavar="FILE", help="episodes heard of; default below the user's state")


def _add_broker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="take broker, root and device from an agent.toml")
    parser.add_argument("--host", help="broker; default localhost")
    parser.add_argument("--port", type=int, help="default 1883")
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path, metavar="FILE")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="authorities of the broker's certificate; turns TLS on")
    parser.add_argument("--cert", type=Path, metavar="FILE")
    parser.add_argument("--key", type=Path, metavar="FILE")
    parser.set_defaults(root=None, device=None)


def _add_discover(discover: argparse.ArgumentParser) -> None:
    _add_broker(discover)
    discover.add_argument("--seconds", type=float, default=60.0, help="how long to listen (60)")
    discover.add_argument("--bundle", type=Path, metavar="FOLDER", help="a bundle that a board should fit")
    discover.add_argument("--write", type=Path, metavar="FILE", help="write an agent.toml that reads all boards heard")


def _add_record(record: argparse.ArgumentParser) -> None:
    _add_broker(record)
    record.add_argument("--format", help="as in [[source]]: esphome, … (the sources of --config, else offbeat)")
    record.add_argument("--topic", action="append", default=[], help="default: the format's; repeatable")
    record.add_argument(
        "--sources", type=Path, metavar="FILE", help="[[source]] tables, as in agent.toml: all of these"
    )
    record.add_argument("--out", type=Path, default=Path("recordings"), metavar="FOLDER", help="(recordings)")
    record.add_argument("--max-bytes", type=int, default=500_000_000, help="the oldest files go first (500000000)")
    record.add_argument("--seconds", type=float, help="default: until stopped")


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError
    return number


def _add_schema(schema: argparse.ArgumentParser) -> None:
    schema.add_argument(
        "what", choices=["event", "state", "group", "snapshot", "status", "requests"], help="whose payloads"
    )


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    _add_config(doctor)
    doctor.add_argument("--seconds", type=_seconds, default=10.0, help="how long to listen for sensors at most (10)")
    doctor.add_argument("--unit", default="offbeat.service", help="whose watchdog is looked at (offbeat.service)")


def _add_size(size: argparse.ArgumentParser) -> None:
    size.add_argument("config", type=Path, metavar="CONFIG", help="agent.toml")
    size.add_argument("--outage", default="24h", metavar="TIME", help="of the broker, such as 90min, 24h, 7d (24h)")
    size.add_argument(
        "--episodes", type=_seconds, default=10.0, metavar="N", help="a day and stream, an hour each (10)"
    )
    size.add_argument("--json", action="store_true", help="bytes, seconds and parts of one processor")


def _add_rollback(rollback: argparse.ArgumentParser) -> None:
    _add_config(rollback)
    rollback.add_argument("--stream", metavar="ID", help="whose bundle; may be left out where there is one bundle")


def _add_install(install: argparse.ArgumentParser) -> None:
    install.add_argument("bundle", type=Path, metavar="FOLDER|ARCHIVE", help="the new bundle: a folder, tar or zip")
    _add_rollback(install)


def _add_status(status: argparse.ArgumentParser) -> None:
    _add_broker(status)
    status.add_argument("--root", help="topic above the devices; default offbeat")
    status.add_argument("--device", help="a gateway elsewhere, through the broker; default that of --config, here")
    status.add_argument("--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="for the broker's answer (5)")
    status.add_argument("--json", action="store_true", help="as the request status answers")


def _add_recalibrate(recalibrate: argparse.ArgumentParser) -> None:
    _add_config(recalibrate)
    recalibrate.add_argument("stream", metavar="STREAM", help="whose machine was worked on")
    recalibrate.add_argument("--undo", action="store_true", help="go on with what it knew before the last time")
    recalibrate.add_argument("--by", metavar="NAME", help="who says so; default the user")


def _add_broker_config(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    also = "that of another gateway at the same broker; repeatable"
    parser.add_argument("--also", type=Path, action="append", default=[], metavar="FILE", help=also)
    parser.add_argument("--out", type=Path, default=Path("broker"), metavar="FOLDER", help="(broker)")
    parser.add_argument("--subscriber", default="viewer", metavar="USER", help="who reads alerts (viewer)")
    parser.add_argument("--operator", default="operator", metavar="USER", help="who may also ask (operator)")


def _add_init(init: argparse.ArgumentParser) -> None:
    init.add_argument("sources", nargs="+", metavar="KIND[=PLACE]", help="such as mqtt, esphome, serial=/dev/ttyUSB0")
    init.add_argument("--config", type=Path, default=Path("agent.toml"), metavar="FILE", help="(agent.toml)")
    init.add_argument("--device", metavar="ID", help="default: this computer's name")
    init.add_argument("--board", default="pump1", metavar="ID", help="the board whose readings are judged (pump1)")
    init.add_argument("--bundle", type=Path, metavar="FOLDER", help="default: the sample, models/pump")
    init.add_argument("--broker", default="localhost", metavar="HOST", help="(localhost)")
    init.add_argument("--state-dir", type=Path, default=Path("state"), metavar="FOLDER", help="(state)")
    init.add_argument("--replace", action="store_true", help="keep a FILE that is there as FILE.before")


def _add_service(service: argparse.ArgumentParser) -> None:
    service.add_argument("what", choices=["install"], help="as a systemd unit that starts with the machine")
    _add_config(service)
    service.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    service.add_argument("--replace", action="store_true", help="also over another config in /etc/offbeat")


def _add_backup(backup: argparse.ArgumentParser) -> None:
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file, readable for its user alone")
    _add_config(backup)
    backup.add_argument("--secrets", action="store_true", help="with passwords and keys; else those are left out")


def _add_restore(restore: argparse.ArgumentParser) -> None:
    restore.add_argument("file", type=Path, metavar="FILE", help="what backup wrote")
    _add_config(restore, "agent.toml; where there is none, that of the backup is put there")
    restore.add_argument("--replace", action="store_true", help="keep what was learnt here aside, and go on with this")


COMMANDS = {
    "init": Command("write an agent.toml for named sources, and check it", _add_init, "upkeep.init:init"),
    "run": Command("serve the streams of a config until stopped", _add_config, "run:run"),
    "check": Command("try config, bundles, sources and broker without starting", _add_config, "check:check_command"),
    "doctor": Command("everything that an agent needs: ok, or what to do", _add_doctor, "upkeep.doctor:doctor"),
    "size": Command("what a config costs here: memory, processor, outbox, writes", _add_size, "sizing.size:size"),
    "status": Command("what runs, how each stream is, what is open", _add_status, "remote.status:status"),
    "watch": Command("show alerts in this terminal as they come", _add_watch, "watch:watch_alerts"),
    "discover": Command(
        "list boards and channels at a broker, and settings", _add_discover, "discover:discover_boards"
    ),
    "record": Command("write what boards send to files, to train on", _add_record, "record:record_boards"),
    "password": Command("print the hash of a password, for the page", _add_nothing, "password:password"),
    "normal": Command("say of an episode that it was normal, or take that back", _add_normal, "normal:normal"),
    "ack": Command("acknowledge an open episode, until it is over or becomes worse", _add_ack, "attend:acknowledge"),
    "snooze": Command(
        "say nothing of an episode, and of what comes like it, for a while", _add_snooze, "attend:snooze"
    ),
    "schema": Command("print the JSON Schema of a topic's payloads", _add_schema, "schema:schema"),
    "install-bundle": Command(
        "put another bundle in place, tried first, at one stroke", _add_install, "upkeep.install:install_bundle"
    ),
    "rollback": Command("go back to the bundle before", _add_rollback, "upkeep.install:rollback"),
    "recalibrate": Command(
        "after maintenance: forget what a stream learnt, and commission it anew",
        _add_recalibrate,
        "remote.recalibrate:recalibrate",
    ),
    "service": Command("run a config as a systemd service", _add_service, "upkeep.service:service"),
    "backup": Command("write what was learnt, config and bundles to one file", _add_backup, "upkeep.backup:backup"),
    "restore": Command("put a backup in place, on new hardware or on this", _add_restore, "upkeep.restore:restore"),
    "broker-config": Command(
        "write a Mosquitto 2 config with an access list",
        _add_broker_config,
        "upkeep.broker_config:broker_config",
    ),
    "rename": Command("a stream that was renamed in the config keeps what it learnt", _add_rename, "rename:rename"),
}
"""In the order of `--help`."""
