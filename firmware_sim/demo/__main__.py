"""The command behind `make demo`."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from firmware_sim.demo.baseline import evaluate
from firmware_sim.demo.learn import learn
from firmware_sim.demo.leavings import write_alerts, write_readings
from firmware_sim.demo.live import live
from firmware_sim.demo.plan import Plan
from firmware_sim.demo.processes import DemoError
from firmware_sim.demo.recorder import Recorder
from firmware_sim.demo.screen import Screen
from firmware_sim.demo.table import table
from firmware_sim.demo.verdict import FALSE_ALLOWED, FOUND_SHARE, episodes_of, judge, read_faults


def main(argv: list[str] | None = None) -> int:
    """Run the demo; 0 when it found what it should, 1 when not, 2 when it could not run."""
    plan, screen, began = _plan(argv), Screen(), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # end tidily: see Processes
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
        screen.line(f"== 1. Normal operation and training (SEED={plan.seed}, everything goes to {plan.folder}/)")
        learn(plan)
        screen.line(f"== 2. Live, {plan.speed:g} times as fast as real time  ({time.monotonic() - began:.0f} s so far)")
        with tempfile.TemporaryDirectory(prefix="offbeat-demo-") as scratch:
            heard = live(plan, Path(scratch), screen)
        passed = _conclude(plan, heard, screen)
        reports = f"{plan.report} of this run, {plan.bundle}/report.html of the model"
        screen.line(f"{time.monotonic() - began:.0f} s. Reports: {reports}; the rest is in {plan.folder}/")
        return 0 if passed else 1
    except DemoError as error:
        screen.end_progress()
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        screen.end_progress()
        print("demo: stopped", file=sys.stderr)
        return 130


def _plan(argv: list[str] | None) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m firmware_sim.demo", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=1, help="chooses the faults (default: 1)")
    add("--out", type=Path, default=Path("demo-output"), help="folder for what it leaves (default: demo-output)")
    add("--speed", type=float, default=Plan.speed, help="simulated seconds a second (default: %(default)g)")
    add("--again", action="store_true", help="use the model that an earlier demo left in the folder")
    add("--amqtt", action="store_true", help="use the broker in Python even where Mosquitto is installed")
    options = parser.parse_args(argv)
    return Plan(options.seed, options.out, speed=options.speed, again=options.again, use_amqtt=options.amqtt)


def _conclude(plan: Plan, heard: Recorder, screen: Screen) -> bool:
    """Print the table, keep what it rests on, say whether that is enough."""
    times, values = heard.readings()
    write_alerts(plan.folder / "alerts.jsonl", heard.payloads)
    write_readings(plan.readings_csv, times, values)
    faults = read_faults(plan.truth)
    verdict = judge(faults, episodes_of(message.event for message in heard.events))
    text = table(verdict, evaluate(plan, faults), float(times[0]))
    screen.line(f"== 3. Result\n{text}")
    (plan.folder / "result.txt").write_text(text + "\n", "utf-8")
    wanted = f"at least {FOUND_SHARE:.0%} of the faults with at most {FALSE_ALLOWED} false episode"
    screen.line(f"{'Passed' if verdict.passed else 'NOT passed'}: wanted {wanted}.")
    return verdict.passed


if __name__ == "__main__":
    sys.exit(main())
