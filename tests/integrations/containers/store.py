"""Podman with a store of the tests' own, and images of Debian's packages in place of those of registries."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release.base_image import debian_image
from release.platforms import platform
from tests.helpers.documents import ROOT
from tests.helpers.mosquitto import missing

IMAGE = "localhost/offbeat:test"
_TOOLS = {"podman": "podman", "mmdebstrap": "mmdebstrap", "runc": "runc"}
_HELPERS = {"netavark": "netavark", "aardvark-dns": "aardvark-dns"}
_CONF = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
"""
"""What also runs inside a virtual machine or a container that has no systemd, and limits of its own."""
_MADE = {
    "docker.io/library/eclipse-mosquitto:2": (
        ("mosquitto", "mosquitto-clients"),
        ('CMD ["mosquitto"]',),
        'install -d -o 1883 -g 1883 "$1/mosquitto/data" "$1/mosquitto/config"',
    ),
    "docker.io/prom/prometheus:v2.53.0": (
        ("prometheus",),
        ('ENTRYPOINT ["prometheus"]', "USER 65534"),
        'install -d -o 65534 -g 65534 "$1/prometheus"',
    ),
}
"""Name in compose.yaml to packages, settings of the image, and what else its root has as the registry's has it."""


def use_own_store(folder: Path) -> None:
    """From here on podman keeps everything below `folder`: a user's own images are not touched."""
    if os.geteuid() != 0:
        missing("root, which podman wants for bridge networks without further packages")
    packages = [package for tool, package in _TOOLS.items() if shutil.which(tool, path=_path()) is None]
    packages += [name for name in _HELPERS if not Path("/usr/lib/podman", name).exists()]
    if packages:
        missing(f"podman (Debian: apt-get install {' '.join(packages)})")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "containers.conf").write_text(_CONF)
    store = f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    (folder / "storage.conf").write_text(store)
    os.environ |= {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "PATH": _path(),
    }


def make_services() -> None:
    """Broker and Prometheus of Debian's packages, under the names that compose.yaml pulls."""
    target = platform(os.uname().machine)
    for name, (packages, changes, then) in _MADE.items():
        debian_image("podman", name, packages, target, changes, then)


def podman(*arguments: str, check: bool = True) -> str:
    """What a command of podman prints."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, f"podman {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def healthy(container: str) -> bool:
    """Whether the container's own health check passes now; podman runs it by itself only where systemd does."""
    return subprocess.run(["podman", "healthcheck", "run", container], capture_output=True).returncode == 0


def build_image(build: Callable[..., int]) -> None:
    """The image of this tree, on a base of Debian's packages."""
    if build(["--base", "debian", "--tag", IMAGE]) != 0:
        pytest.fail("the image was not built; its steps are above")


def build_folder() -> Path:
    """Kept between runs, since a base takes a minute; `make clean` takes it away."""
    return ROOT / "build/containers"


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
