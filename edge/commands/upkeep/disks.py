"""The disk of the state folder: room, inodes, wear. The file system's root is an argument, for tests."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.commands.upkeep.finding import Finding
from edge.commands.upkeep.machine import there
from edge.config.settings import Config

_WORN = 80
"""Percent of a disk's life that is used up."""
_REPLACE = "put in another, with backup and restore"
_FILES_OF_A_STREAM = 4
"""State, collected rows, one that is just being written, one that was set aside."""
_FILES_BESIDE = 20
"""Outbox with its journal, lock, socket, what is served, audit, bundles that were tried."""
_ARCHIVED_FILES = 400
"""A day each, of a stream that keeps an archive."""


def needed_bytes(config: Config) -> int:
    """What the state folder may grow to, bytes: outbox with its journal, episodes, archive, and 1 MB a stream."""
    kept = config.history.max_bytes + config.history.archive_bytes
    return 2 * config.delivery.outbox_bytes + kept + 1_000_000 * len(config.stream)


def disk(config: Config, free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free) -> Finding:
    """Whether the state folder has the room that its bounds allow it."""
    folder = there(config.device.state_dir)
    room, needed = free(folder), needed_bytes(config)
    told = f"{room / 1e6:.0f} MB free at {folder}, the state may take {needed / 1e6:.0f} MB"
    if room < needed:
        remedy = "make room, or lower [delivery] outbox_bytes and [history] max_bytes and archive_bytes"
        return Finding("FAIL" if room < needed / 10 else "do", "disk", f"{told}: {remedy}")
    return Finding("ok", "disk", told)


def needed_files(config: Config) -> int:
    """How many files the state folder may come to hold."""
    archived = _ARCHIVED_FILES if config.history.archive_bytes else 0
    return config.history.episodes + (_FILES_OF_A_STREAM + archived) * len(config.stream) + _FILES_BESIDE


def inodes(config: Config, status: Callable[[Path], os.statvfs_result] = os.statvfs) -> Finding:
    """Whether the state folder's file system has inodes for its files: without one, free bytes help nothing."""
    folder = there(config.device.state_dir)
    try:
        told = status(folder)
    except OSError as error:
        return Finding("?", "inodes", f"{folder}: {error.strerror or error}")
    if not told.f_files:
        return Finding("ok", "inodes", f"the file system of {folder} makes them as they are wanted")
    needed, left = needed_files(config), told.f_favail
    line = f"{left} free at {folder}, the state may take {needed}"
    if left < needed:
        remedy = "remove small files there (df -i shows where), or make the file system anew with more: mkfs.ext4 -N"
        return Finding("FAIL" if left < _FILES_BESIDE else "do", "inodes", f"{line}: {remedy}")
    return Finding("ok", "inodes", line)


def _smartctl(device: str) -> dict[str, Any]:
    line = ["smartctl", "--json", "--attributes", "--health", device]
    done = subprocess.run(line, capture_output=True, text=True, timeout=10.0, check=False)
    told = json.loads(done.stdout)
    if not isinstance(told, dict):
        raise ValueError("no table")
    return told


def wear(config: Config, root: Path = Path("/"), smart: Callable[[str], dict[str, Any]] = _smartctl) -> Finding:
    """How much of the disk's life is used up, where it says so: eMMC does, and SSDs to smartctl; SD cards seldom do.

    Sources: Linux, Documentation/ABI/testing/sysfs-class-mmc: life_time in steps of 10 %; smartctl(8), --json.
    """
    number = there(config.device.state_dir).stat().st_dev
    block = root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}"
    for folder in (block, block / ".."):
        try:
            steps = [int(step, 16) for step in (folder / "device/life_time").read_text("ascii").split()]
        except (OSError, ValueError):
            continue
        return _worn(10 * max(steps, default=0), "as the eMMC tells")
    return _by_smart(block, smart)


def _by_smart(block: Path, smart: Callable[[str], dict[str, Any]]) -> Finding:
    spare = "an SD card wants a spare with a backup"
    if not block.exists():
        return Finding("?", "disk wear", f"the state folder is on no block device (network, memory, overlay); {spare}")
    whole = (block / "..").resolve() if (block / "partition").exists() else block.resolve()
    no_life = f"{whole.name} has no life_time as eMMC has"
    try:
        told = smart(f"/dev/{whole.name}")
    except (OSError, subprocess.SubprocessError):
        return Finding("?", "disk wear", f"{no_life}, and smartctl is not here: apt install smartmontools; {spare}")
    except ValueError:
        told = {}
    for table, key in (("endurance_used", "current_percent"), ("nvme_smart_health_information_log", "percentage_used")):
        if isinstance(used := _within(told, table, key), int):
            return _worn(used, "as SMART tells")
    if _within(told, "smart_status", "passed") is False:
        return Finding("do", "disk wear", f"SMART says that {whole.name} is failing; {_REPLACE}")
    return Finding("?", "disk wear", f"{no_life}, and SMART tells nothing of its wear (only to root); {spare}")


def _within(told: dict[str, Any], table: str, key: str) -> Any:
    inner = told.get(table)
    return inner.get(key) if isinstance(inner, dict) else None


def _worn(used: int, by: str) -> Finding:
    if used >= _WORN:
        return Finding("do", "disk wear", f"{used} % of its life is used up, {by}; {_REPLACE}")
    return Finding("ok", "disk wear", f"{used} % of its life is used up, {by}")
