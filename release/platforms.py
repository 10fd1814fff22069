"""The machines that a release is for, and what each wants to have installed."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
DEBIAN_PYTHON = "3.11"
"""Of Debian 12, which the packages are for."""
EXTRAS = ("serial",)
"""Extras of a gateway: small, and wheels of them are to be had everywhere."""
IMAGE_EXTRAS = (*EXTRAS, "modbus", "prometheus", "web", "sign")
"""An image cannot be added to as an environment can, so it brings whatever an agent.toml may ask for."""


@dataclass(frozen=True)
class Platform:
    """A kind of processor. `machine` is the kernel's word, `debian` the distribution's."""

    machine: str
    debian: str
    pythons: tuple[str, ...] = PYTHONS
    from_system: tuple[str, ...] = ()
    """Distributions that have no wheel here, and come as a package of the system."""
    not_in_image: tuple[str, ...] = ()
    """Of those that an image has elsewhere: no wheel, and the system's is missing or too old."""

    @property
    def oci(self) -> str:
        """As images name it."""
        return {"amd64": "linux/amd64", "arm64": "linux/arm64", "armhf": "linux/arm/v7"}[self.debian]

    def tags(self) -> list[str]:
        """The wheels that run here, as options of pip."""
        kinds = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
        return [f"--platform={kind}_{self.machine}" for kind in kinds]


PLATFORMS = (
    Platform("x86_64", "amd64"),
    Platform("aarch64", "arm64"),
    # The last TFLite runtime for it is one for Python 3.11, and numpy has no wheel.
    Platform(
        "armv7l",
        "armhf",
        pythons=("3.11",),
        from_system=("numpy",),
        not_in_image=("cryptography", "pillow"),
    ),
)


def platform(machine: str) -> Platform:
    """The platform of that machine or Debian architecture.

    Raises:
        KeyError: there is none.
    """
    return {name: one for one in PLATFORMS for name in (one.machine, one.debian)}[machine]


def requirements(
    target: Platform, python: str, root: Path = ROOT, extras: tuple[str, ...] = EXTRAS
) -> list[Requirement]:
    """What pyproject.toml asks for on a gateway of that platform and Python, without what comes from the system."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [*project["dependencies"]]
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    there = {"platform_machine": target.machine, "python_version": python, "python_full_version": f"{python}.0"}
    wanted = [Requirement(text) for text in texts]
    without = target.from_system + (target.not_in_image if extras == IMAGE_EXTRAS else ())
    return [
        one for one in wanted if (one.marker is None or one.marker.evaluate(dict(there))) and one.name not in without
    ]
