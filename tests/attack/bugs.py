"""Our own bugs, made on purpose: what is raised in a thread that must not end is said, and the agent serves again."""

from functools import partial

from tests.attack.registry import attack
from tests.attack.stand import Stand
from tests.helpers.agent import ROOT

_RAISES = """
import {module} as module
import edge.config.settings
original, calls = module.{name}.{method}, [0]
def once(self, *arguments, **named):
    calls[0] += 1
    if calls[0] == {call}:
        raise {error}("on purpose")
    return original(self, *arguments, **named)
module.{name}.{method} = once
"""
BUGS = {
    "MemoryError while decoding": ("edge.sources.messages", "Messages", "take", "MemoryError", 10),
    "SystemExit while decoding": ("edge.sources.messages", "Messages", "take", "SystemExit", 10),
    "RecursionError while decoding": ("edge.sources.messages", "Messages", "take", "RecursionError", 10),
    "MemoryError in delivery": ("edge.delivery.session", "Session", "step", "MemoryError", 40),
    "SystemExit in delivery": ("edge.delivery.session", "Session", "step", "SystemExit", 40),
    "ZeroDivisionError in the outbox's drain": ("edge.delivery.drain", "Drain", "step", "ZeroDivisionError", 40),
    "ValueError while scoring": ("edge.detector.score.engine", "Engine", "step", "ValueError", 30),
    "MemoryError while scoring": ("edge.detector.score.engine", "Engine", "step", "MemoryError", 30),
    "ValueError while aligning": ("edge.agent.stream", "Stream", "take", "ValueError", 30),
    "OSError while a request is answered": ("edge.delivery.requests", "Requests", "_fields", "OSError", 1),
}
_QUICK = ("MemoryError while decoding",)


def _bug(bug: tuple[str, str, str, str, int], stand: Stand) -> None:
    module, name, method, error, call = bug
    inject = stand.folder / "inject"
    inject.mkdir()
    text = _RAISES.format(module=module, name=name, method=method, error=error, call=call)
    (inject / "sitecustomize.py").write_text(text)
    stand.start(PYTHONPATH=f"{inject}:{ROOT}")
    stand.serves()
    stand.wait_said("on purpose", 10.0)
    stand.passed_at = None


del BUGS["OSError while a request is answered"]
for _name, _parts in BUGS.items():
    attack(f"a bug of ours: {_name}", quick=_name in _QUICK)(partial(_bug, _parts))
