"""What is done to a booted Debian in turn, and what is then asked of it."""

from dataclasses import dataclass

_ACTIVE = "systemctl is-active offbeat"
_PROCESS = "systemctl show offbeat -P MainPID"
_OWNER = "stat -Lc '%U %a' /var/lib/offbeat/"
_INSTALL = "apt-get -qq install -y /opt/{}.deb"


@dataclass(frozen=True)
class Step:
    """`then`'s whole output must be `wanted`; `do` must succeed."""

    what: str
    do: str
    then: str
    wanted: str


STEPS = (
    Step("installed, it waits for its config", _INSTALL.format("offbeat"), _ACTIVE, "inactive"),
    Step("and is not enabled", "true", "systemctl is-enabled offbeat", "disabled"),
    Step("started, it is ready", "systemctl start offbeat", _ACTIVE, "active"),
    Step("as its user", "true", f"ps -o user= -p $({_PROCESS})", "offbeat"),
    Step("its state is its own", "true", _OWNER, "offbeat 700"),
    Step(
        "a fault is an alert",
        "systemd-run -q offbeat-sim mqtt --fault leak@10s+10m",
        "mosquitto_sub -W 240 -C 1 -F %t -t offbeat/+/+/event",
        "offbeat/gw-1/pump1/event",
    ),
    Step(
        "upgraded while it runs, it runs anew",
        f"{_PROCESS} > /opt/before && {_INSTALL.format('newer')}",
        f"{_ACTIVE}; test $({_PROCESS}) = $(cat /opt/before) || echo another process",
        "active\nanother process",
    ),
    Step(
        "upgraded while stopped, it stays so",
        f"systemctl stop offbeat && {_INSTALL.format('newest')}",
        _ACTIVE,
        "inactive",
    ),
    Step(
        "enabled, an upgrade starts it",
        "systemctl -q enable offbeat && apt-get -qq install -y --reinstall /opt/newest.deb",
        _ACTIVE,
        "active",
    ),
    Step("removing stops it", "apt-get -qq remove -y offbeat", f"{_ACTIVE}; pgrep -u offbeat", "inactive"),
    Step("and leaves config and state", "true", f"ls /etc/offbeat; {_OWNER}", "agent.toml\noffbeat 700"),
    Step(
        "purging takes the user and the keys",
        "install -D /dev/null /etc/offbeat/credentials/key && apt-get -qq purge -y offbeat",
        "getent passwd offbeat; getent group offbeat; ls -d /etc/offbeat 2>&1",
        "ls: cannot access '/etc/offbeat': No such file or directory",
    ),
    Step("and leaves the state, root's", "true", f"{_OWNER}; find /var/lib/private/offbeat ! -user root", "root 700"),
    Step(
        "and nothing else",
        "true",
        "find / -xdev -name '*offbeat*' ! -path '/opt/*' ! -path '/var/cache/*'",
        "/var/lib/private/offbeat\n/var/lib/offbeat",
    ),
    Step(
        "installed again, it goes on with that",
        f"{_INSTALL.format('newest')} && systemctl start offbeat",
        f"{_ACTIVE}; find /var/lib/private/offbeat ! -user offbeat; ls /var/lib/offbeat/outbox.db",
        "active\n/var/lib/offbeat/outbox.db",
    ),
)
