"""An agent that is a process of its own, with a Modbus source against a real server."""

from tests.helpers.agent import config, folder, health, run
from tests.helpers.modbus import Unit, free_port, registers_of, tcp_server
from tests.helpers.mosquitto import wait_for

__all__ = ["folder", "run"]


def source(port: int) -> str:
    register = '[[source.register]]\nname = "{}"\naddress = {}\ntype = "float32"\n'
    devices = "".join(f'[[source.device]]\nboard = "pump{unit}"\nunit_id = {unit}\n' for unit in (1, 2))
    head = f'[[source]]\nname = "plc"\ntype = "modbus"\nhost = "127.0.0.1"\nport = {port}\nperiod_s = 0.2\n'
    return head + register.format("flow", 0) + register.format("pressure", 2) + devices


def stream(unit: int) -> str:
    return f'id = "pump{unit}"\nbundle = "tiny"\noffline_after_s = 2.0\n'


def test_devices_are_streams_and_one_that_is_silent_is_named_in_health(broker, listener, run):
    port = free_port()
    server = tcp_server([Unit(1, holding={0: registers_of(2.0, "float32") + registers_of(5.0, "float32")})], port)
    server.start()
    run(config(broker.port, source(port), stream(1), stream(2)))

    try:
        wait_for(lambda: health(listener)["streams"]["pump1"]["rows"] > 3, "rows of the device that answers")
        wait_for(lambda: health(listener)["streams"]["pump2"]["trouble"], "the trouble", timeout_s=40.0)
    finally:
        server.stop()

    told = health(listener)
    assert "no answer of unit 2" in told["sources"]["plc"]["boards"]["pump2"]
    assert told["streams"]["pump2"]["trouble"].startswith("board pump2: no answer of unit 2")
    assert told["streams"]["pump1"]["trouble"] is None
