"""The types of sources. To add one: a file with its settings and its reader, and a line here.

tests/edge/sources/test_opening.py fails until its reader starts, stops and answers `probe`.
"""

from edge.sources.iio import IioSource
from edge.sources.modbus_settings import ModbusSource
from edge.sources.settings import FileSource, MqttSource, SerialSource, SourceSettings, StdinSource

SOURCE_TYPES: dict[str, type[SourceSettings]] = {
    "mqtt": MqttSource,
    "serial": SerialSource,
    "file": FileSource,
    "stdin": StdinSource,
    "modbus": ModbusSource,
    "iio": IioSource,
}
