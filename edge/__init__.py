"""What runs on the device: readings in, anomaly events out.

The front door. `Detector` scores one machine's readings, `AlertReader` subscribes to what agents
publish; the other names are what these take and give. A name is imported when it is first asked
for: `import edge` loads no numpy, no MQTT client and no runtime.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.detector.bundle.files import Bundle, BundleError, load_bundle
    from edge.detector.bundle.rules import ChannelRules
    from edge.detector.face import Detector
    from edge.detector.outcome import Outcome
    from edge.watch.notify import Notification, NotificationPolicy, NotifySettings
    from edge.watch.reader import AlertReader
    from edge.wire.broker import BrokerSettings
    from edge.wire.events import Event, EventMessage

__version__ = "0.1.0"

__all__ = [
    "AlertReader",
    "BrokerSettings",
    "Bundle",
    "BundleError",
    "ChannelRules",
    "Detector",
    "Event",
    "EventMessage",
    "Notification",
    "NotificationPolicy",
    "NotifySettings",
    "Outcome",
    "__version__",
    "load_bundle",
]

_FROM = {
    "AlertReader": "edge.watch.reader",
    "BrokerSettings": "edge.wire.broker",
    "Bundle": "edge.detector.bundle.files",
    "BundleError": "edge.detector.bundle.files",
    "ChannelRules": "edge.detector.bundle.rules",
    "Detector": "edge.detector.face",
    "Event": "edge.wire.events",
    "EventMessage": "edge.wire.events",
    "Notification": "edge.watch.notify",
    "NotificationPolicy": "edge.watch.notify",
    "NotifySettings": "edge.watch.notify",
    "Outcome": "edge.detector.outcome",
    "load_bundle": "edge.detector.bundle.files",
}


if not TYPE_CHECKING:  # to a type checker a name that is not there is an error

    def __getattr__(name: str) -> Any:
        if name not in _FROM:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_FROM[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
