"""Debian's systemd as the first process of namespaces of its own, in a folder with a fresh userland.

Nothing of it is seen or left outside: with systemd the kernel ends all its processes and takes its mounts away, and its
control group is removed. The kernel, the network and the clock are this machine's.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.arm.userlands.root import UserlandError, handed_on

_UNIFIED = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
"""Where the version 2 of control groups is mounted, alone or beside version 1."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_MADE = """set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
for folder in run tmp; do mount -t tmpfs tmpfs "$1/$folder"; done
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for name in $2; do touch "$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
mkdir "$1/dev/pts" "$1/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts"
mount -t tmpfs tmpfs "$1/dev/shm"
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
cd "$1"
exec chroot "$1" env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal
"""
_LONGEST_BOOT_S, _LONGEST_END_S = 120.0, 10.0


class Machine:
    """A userland whose systemd runs; a context manager."""

    def __init__(self, root: Path) -> None:
        self._root = root
        unified = next(Path(one) for one in _UNIFIED if (Path(one) / "cgroup.controllers").exists())
        self._group = unified / f"booted-{os.getpid()}"

    def __enter__(self) -> "Machine":
        self._group.mkdir()
        join = f'echo $$ > "{self._group}/cgroup.procs"; exec "$@"'
        apart = ["unshare", "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--fork", "--kill-child=KILL"]
        made = ["sh", "-c", _MADE, "sh", str(self._root), " ".join(_DEVICES)]
        self._outside = subprocess.Popen(["sh", "-c", join, "sh", *apart, *made], stdin=subprocess.DEVNULL)
        until = time.monotonic() + _LONGEST_BOOT_S
        while self.say("systemctl is-system-running").strip() not in ("running", "degraded"):
            if self._outside.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise UserlandError(f"systemd did not come up within {_LONGEST_BOOT_S:.0f} s")
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self._outside.send_signal(signal.SIGKILL)  # and the kernel all within
        self._outside.wait()
        until = time.monotonic() + _LONGEST_END_S
        while self._group.exists() and time.monotonic() < until:  # its last processes are about to go
            for group in sorted(self._group.rglob("*/"), reverse=True):
                with contextlib.suppress(OSError):
                    group.rmdir()
            with contextlib.suppress(OSError):
                self._group.rmdir()
            time.sleep(0.02)

    def say(self, command: str) -> str:
        """What a shell's command prints in it, its errors too."""
        first = Path(f"/proc/{self._outside.pid}/task/{self._outside.pid}/children").read_text("ascii").split()
        if not first:
            return ""
        given = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
        given += [f"{name}={value}" for name, value in handed_on().items()]
        enter = ["nsenter", "--target", first[0], "--mount", "--pid", "--uts", "--ipc", "--root", "--wd", *given]
        done = subprocess.run([*enter, "sh", "-c", command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr
