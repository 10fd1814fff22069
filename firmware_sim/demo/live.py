"""The second half of the demo: broker, agent, watcher and a pump with faults, at accelerated time."""

import subprocess
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from firmware_sim.demo.agent_config import agent_toml
from firmware_sim.demo.broker import HOST, broker
from firmware_sim.demo.plan import BOARD, Plan
from firmware_sim.demo.processes import Processes, module
from firmware_sim.demo.recorder import Recorder
from firmware_sim.demo.screen import Screen, clock
from firmware_sim.demo.verdict import read_faults
from firmware_sim.machine.faults import Fault

_START_S = 60.0
"""Time for a program to start on a busy machine, seconds."""
_CATCH_UP_S = 30.0
"""Time for the agent to score what is still on its way when the pump stops, seconds."""


def live(plan: Plan, scratch: Path, screen: Screen) -> Recorder:
    """Run it to its end; what the recorder heard. Leaves truth.json, alerts.jsonl, readings.csv and logs."""
    with ExitStack() as stack:
        processes = stack.enter_context(Processes(plan.folder))
        name, port = stack.enter_context(broker(processes, scratch, plan.use_amqtt))
        screen.line(f"Broker: {name}, port {port}")
        recorder = stack.enter_context(Recorder(HOST, port))
        processes.wait_for(recorder.subscribed.is_set, "the broker's answer", _START_S)
        _start_agent(plan, port, scratch, processes, recorder)
        screen.line("Agent: online")
        _start_watcher(port, processes, screen)
        pump = _start_pump(plan, port, processes)
        _follow(plan, pump, processes, recorder, screen)
        _catch_up(processes, recorder)
        screen.end_progress()
        return recorder


def _start_agent(plan: Plan, port: int, scratch: Path, processes: Processes, recorder: Recorder) -> None:
    plan.agent_toml.write_text(agent_toml(plan, HOST, port, scratch / "state"), "utf-8")
    processes.start("agent", module("edge", "run", "--config", plan.agent_toml))
    processes.wait_for(lambda: recorder.status == "online", "the agent", _START_S)


def _start_watcher(port: int, processes: Processes, screen: Screen) -> None:
    watcher = processes.start(
        "watch", module("edge", "watch", "--all", "--no-session", "--host", HOST, "--port", port), subprocess.PIPE
    )

    def relay() -> None:
        assert watcher.stdout is not None
        for line in watcher.stdout:
            screen.line(line.rstrip())

    threading.Thread(target=relay, name="watch", daemon=True).start()


def _start_pump(plan: Plan, port: int, processes: Processes) -> "subprocess.Popen[str]":
    return processes.start(
        "pump",
        module(
            "firmware_sim", "mqtt", "--host", HOST, "--port", port, "--speed", plan.speed,
            "--start", plan.live_start, "--hours", plan.live_hours, "--seed", plan.seed,
            "--random-faults", plan.faults, "--truth", plan.truth,
        ),
    )  # fmt: skip


def _follow(
    plan: Plan, pump: "subprocess.Popen[str]", processes: Processes, recorder: Recorder, screen: Screen
) -> None:
    """Show time and faults go by until the pump's program has ended."""
    processes.wait_for(lambda: bool(recorder.rows), "the first reading", _START_S)
    faults, start = read_faults(plan.truth), recorder.rows[0][0]
    announced: set[Fault] = set()
    while pump.poll() is None:
        processes.check()
        now = recorder.rows[-1][0]
        for fault in faults:
            if fault.start <= now and fault not in announced:
                announced.add(fault)
                screen.line(_announcement(fault))
        screen.progress((now - start) / plan.live_s, f"simulated {clock(now - start)} of {clock(plan.live_s)}")
        time.sleep(0.05)
    processes.check()


def _announcement(fault: Fault) -> str:
    when = datetime.fromtimestamp(fault.start, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{when}  the pump gets {fault.kind}, in {fault.channels[0]} first"


def _catch_up(processes: Processes, recorder: Recorder) -> None:
    sent = len(recorder.rows)

    def caught_up() -> bool:
        counts = recorder.health.get("streams", {}).get(BOARD, {})
        return counts.get("readings", 0) + counts.get("overrun", 0) >= sent

    processes.wait_for(caught_up, "the agent to score the last readings", _CATCH_UP_S)
