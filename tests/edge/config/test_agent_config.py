"""agent.toml: what is taken, and the one line that is said of what is not."""

import re
from pathlib import Path

import pytest

from edge.config.file import read_tables
from edge.config.settings import Config, ConfigError, load_config
from edge.config.structure import nearest
from edge.sources.settings import FileSource, MqttSource, SerialSource, StdinSource

SMALL = """
[device]
id = "gw-1"
[[source]]
name = "field"
type = "mqtt"
[[stream]]
id = "pump1"
bundle = "models/pump"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(text)
    return path


def loaded(tmp_path: Path, text: str) -> Config:
    return load_config(written(tmp_path, text))


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{tmp_path / 'agent.toml'}: ")
    return message.removeprefix(f"{tmp_path / 'agent.toml'}: ")


def test_the_smallest_config_fills_in_the_rest(tmp_path):
    config = loaded(tmp_path, SMALL)

    (stream,) = config.stream
    assert (stream.source, stream.board, stream.variant, stream.time_from) == ("field", "pump1", "auto", "reading")
    assert stream.bundle == tmp_path / "models/pump"
    assert config.device.state_dir == tmp_path / "state"
    assert (config.broker.host, config.broker.port) == ("localhost", 1883)
    assert config.requests.allow == []


def test_every_section_is_read(tmp_path):
    text = """
        [device]
        id = "gw-1"
        state_dir = "/var/lib/offbeat"
        health_every_s = 10
        [broker]
        host = "broker.local"
        port = 8883
        ca = "ca.pem"
        [delivery]
        drain_per_s = 5
        [requests]
        allow = ["replay"]
        [[source]]
        name = "uart"
        type = "serial"
        port = "/dev/ttyUSB0"
        channels = { vib = "vibration" }
        [[source]]
        name = "tape"
        type = "file"
        path = "tape.csv"
        speed = 60
        [[source]]
        name = "pipe"
        type = "stdin"
        [[source]]
        name = "other"
        type = "mqtt"
        root = "plant/hall-2"
        [source.broker]
        host = "10.0.0.7"
        plaintext = true
        [[stream]]
        id = "pump1"
        source = "uart"
        board = "b7"
        bundle = "/opt/pump"
        max_future_s = inf
        [stream.alarm]
        level = 1.5
        min_windows = 4
        [stream.rules.vibration]
        max = 7.1
        silent_for_s = 30
        """

    (tmp_path / "ca.pem").touch()

    config = loaded(tmp_path, text)

    serial, tape, pipe, other = config.source
    assert isinstance(serial, SerialSource)
    assert serial.channels == {"vib": "vibration"}
    assert isinstance(tape, FileSource)
    assert tape.path == tmp_path / "tape.csv"
    assert isinstance(pipe, StdinSource)
    assert isinstance(other, MqttSource)
    assert other.broker is not None
    assert other.broker.host == "10.0.0.7"
    assert config.broker.ca == tmp_path / "ca.pem"
    assert config.delivery.drain_per_s == 5.0
    (stream,) = config.stream
    assert (stream.alarm.level, stream.alarm.min_windows) == (1.5, 4)
    assert stream.rules["vibration"].max == 7.1
    assert str(config.device.state_dir) == "/var/lib/offbeat"


BAD = [
    ('id = "gw-1"', 'idd = "gw-1"', "[device]: unknown key 'idd'; did you mean 'id'?"),
    ('id = "gw-1"', "", "[device]: the key 'id' is missing"),
    ('[device]\nid = "gw-1"', "", "the key 'device' is missing"),
    ('[device]\nid = "gw-1"', "device = 1", "device is 1; wanted a table"),
    ('id = "gw-1"', "id = 7", "[device]: id is 7; wanted a string"),
    ('id = "gw-1"', 'id = "a/b"', "[device]: id is 'a/b'; ids have letters, digits, _ and - only"),
    ('id = "gw-1"', 'id = "g"\nhealth_every_s = 0', "[device]: health_every_s is 0.0; wanted more than 0"),
    ('id = "gw-1"', 'id = "g"\nlog_level = "loud"', "[device]: log_level is 'loud'; wanted one of debug, info,"),
    ('id = "pump1"', 'id = "health"', "[stream] of health: id is 'health', a word of the topics"),
    ('type = "mqtt"', 'type = "mqt"', "[source] of field: type = 'mqt'; wanted one of mqtt, serial, file, stdin"),
    ('type = "mqtt"', "", "[source] of field: no type; wanted one of mqtt"),
    ('type = "mqtt"', 'type = "mqtt"\nqos = 2', "[source] of field: qos is 2; wanted one of 0, 1"),
    ('type = "mqtt"', 'type = "mqtt"\nqos = true', "[source] of field: qos is True; wanted one of 0, 1"),
    ('type = "mqtt"', 'type = "mqtt"\nroot = "a/#"', "[source] of field: root is 'a/#'; wanted the start of a topic"),
    ('type = "mqtt"', 'type = "serial"', "[source] of field: the key 'port' is missing"),
    ('type = "mqtt"', 'type = "serial"\nport = "x"\nbuad = 9', "unknown key 'buad'; did you mean 'baud'?"),
    ('name = "field"', 'nam = "field"', "[source] number 1: unknown key 'nam'; did you mean 'name'?"),
    ("[[source]]", "[source]", "[source]: wanted an array of tables; write [[source]]"),
    ('bundle = "models/pump"', "", "[stream] of pump1: the key 'bundle' is missing"),
    (
        'bundle = "models/pump"',
        'bundle = "m"\nsource = "feild"',
        "source 'feild' is no [[source]]; did you mean 'field'?",
    ),
    ('bundle = "models/pump"', 'bundle = "m"\nmax_gap_s = "5"', "[stream] of pump1: max_gap_s is '5'; wanted a number"),
    ('bundle = "models/pump"', 'bundle = "m"\nmax_gap_s = nan', "[stream] of pump1: max_gap_s is nan; wanted a number"),
    (
        'bundle = "models/pump"',
        'bundle = "m"\nmax_gap_s = -1',
        "[stream] of pump1: max_gap_s is -1.0; wanted more than 0",
    ),
    (
        'bundle = "models/pump"',
        'bundle = "m"\n[stream.alarm]\nlevle = 2',
        "[stream.alarm] of pump1: unknown key 'levle'; did you mean 'level'?",
    ),
    (
        'bundle = "models/pump"',
        'bundle = "m"\n[stream.alarm]\nmin_windows = 1.5',
        "[stream.alarm] of pump1: min_windows is 1.5; wanted a whole number",
    ),
    (
        'bundle = "models/pump"',
        'bundle = "m"\n[[stream.planned]]\nname = "x"\nstart = "soon"\nend = 2026-01-01',
        "[stream.planned] of x: start is 'soon'; wanted a date or a date with a time, without quotes, "
        "such as 2026-12-24T18:00:00",
    ),
    (
        'bundle = "models/pump"',
        'bundle = "m"\n[[stream.planned]]\nname = "x"\nstart = 2026-01-02\nend = 2026-01-01',
        "[stream.planned] of x: it ends at 2026-01-01 00:00:00, wanted later than 2026-01-02 00:00:00",
    ),
    (
        'bundle = "models/pump"',
        'bundle = "m"\n[stream.rules.flow]\nmaxx = 2',
        "[stream.rules.flow] of pump1: unknown key 'maxx'; did you mean 'max'?",
    ),
    (
        'bundle = "models/pump"',
        'bundle = "m"\n[stream.rules.flow]\nmin = 2\nmax = 1',
        "[stream] of pump1: rules.flow: min is 2 and max 1; wanted min below max",
    ),
    ("[[stream]]", "[broker]\nport = 0\n[[stream]]", "[broker]: port = 0: wanted 1 to 65535"),
    ("[[stream]]", "[broker]\nhots = 'x'\n[[stream]]", "[broker]: unknown key 'hots'; did you mean 'host'?"),
    (
        "[[stream]]",
        "[requests]\nallow = ['reply']\n[[stream]]",
        "allow lists 'reply', which is no request; did you mean 'replay'?",
    ),
    ("[[stream]]", "[requests]\nallow = 'replay'\n[[stream]]", "[requests]: allow is 'replay'; wanted an array"),
    ("[[stream]]", "[brokre]\n[[stream]]", "unknown key 'brokre'; did you mean 'broker'?"),
    ("[[stream]]", "[[stream]]\nid = 'pump1'\nbundle = 'm'\n[[stream]]", "[[stream]]: id 'pump1' is used twice"),
    ("[[source]]", "[[source]]\nname = 'field'\ntype = 'stdin'\n[[source]]", "[[source]]: name 'field' is used twice"),
    (
        "[[source]]",
        "[[source]]\nname = 'b'\ntype = 'stdin'\n[[source]]",
        "[[stream]] pump1: the key 'source' is missing",
    ),
    ("[device]", "[device", "is not TOML"),
    ('name = "field"', 'name = "field"\nname = "field"', "is not TOML"),
]


@pytest.mark.parametrize(("good", "bad", "said"), BAD, ids=[bad[2][:50] for bad in BAD])
def test_what_does_not_fit_is_one_line_with_key_and_remedy(tmp_path, good, bad, said):
    assert good in SMALL

    assert said in refusal(tmp_path, SMALL.replace(good, bad, 1))


def test_a_config_without_streams_or_sources_is_refused(tmp_path):
    assert "at least one [[source]]" in refusal(tmp_path, '[device]\nid = "g"\n')
    assert "at least one [[stream]]" in refusal(tmp_path, SMALL[: SMALL.index("[[stream]]")])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / 'agent.toml'}: cannot read it: No such file")):
        load_config(tmp_path / "agent.toml")


def test_variables_of_the_environment_are_filled_in(tmp_path):
    path = written(tmp_path, '[broker]\nusername = "${NAME}"\npassword = "a${SECRET}b"\n')

    tables = read_tables(path, {"NAME": "joe", "SECRET": "x$y"})

    assert tables["broker"] == {"username": "joe", "password": "ax$yb"}


def test_a_variable_that_is_not_set_is_named_with_its_key(tmp_path):
    text = SMALL + '[broker]\nusername = "joe"\npassword = "${OFFBEAT_NOT_SET}"\n'

    assert refusal(tmp_path, text) == "broker.password: the environment variable 'OFFBEAT_NOT_SET' is not set"


def test_a_password_may_lie_in_a_file_beside_the_config(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")

    config = loaded(tmp_path, SMALL + '[broker]\nusername = "joe"\npassword_file = "secret"\n')

    assert config.broker.password_file == tmp_path / "secret"
    assert "s3cret" not in repr(config)


def test_a_password_file_that_is_missing_or_doubled_is_refused(tmp_path):
    broker = '[broker]\nusername = "joe"\npassword_file = "secret"\n'

    assert "password_file" in refusal(tmp_path, SMALL + broker)
    assert "not both" in refusal(tmp_path, SMALL + broker + 'password = "x"\n')


def test_a_certificate_that_is_missing_is_a_mistake_and_not_a_broker_to_wait_for(tmp_path):
    said = refusal(tmp_path, SMALL.replace("[device]", '[broker]\nca = "none.pem"\n[device]'))
    assert said == f"[broker]: ca: there is no file {tmp_path}/none.pem"

    said = refusal(tmp_path, SMALL.replace('type = "mqtt"', 'type = "mqtt"\n[source.broker]\nca = "none.pem"'))
    assert said == f"[source.broker] of field: ca: there is no file {tmp_path}/none.pem"


def test_an_error_does_not_show_the_password(tmp_path):
    assert "12345" not in refusal(tmp_path, SMALL + '[broker]\nusername = "joe"\npassword = 12345\n')


def test_nearest_lists_what_there_is_when_nothing_is_alike():
    assert nearest("zzz", ["flow", "pressure"]) == "; known are flow, pressure"
    assert nearest("zzz", []) == ""


@pytest.mark.parametrize(
    "host", ["broker.local", "10.0.0.7", "0.0.0.0", "localhost.evil.example", "127.0.0.1.nip.io", "::ffff:8.8.8.8"]
)
def test_passwords_and_alerts_do_not_cross_a_network_unprotected_unless_the_config_says_so(tmp_path, host):
    text = SMALL + f'[broker]\nhost = "{host}"\n'

    with pytest.raises(ConfigError, match=r"without TLS .*plaintext = true"):
        loaded(tmp_path, text)

    assert loaded(tmp_path, text + "plaintext = true\n").broker.exposed


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "LOCALHOST"])
def test_on_this_machine_no_word_is_needed(tmp_path, host):
    assert not loaded(tmp_path, SMALL + f'[broker]\nhost = "{host}"\n').broker.exposed


def test_a_source_cannot_lead_to_another_machine_without_tls_either(tmp_path):
    text = SMALL.replace("[[stream]]", '[source.broker]\nhost = "10.0.0.7"\n[[stream]]')

    with pytest.raises(ConfigError, match=r"\[source.broker\] of .*plaintext = true"):
        loaded(tmp_path, text)
