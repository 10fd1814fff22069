"""Base images of Debian's own packages: where no registry is reached, and for 32-bit ARM, whose numpy is Debian's."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from release.platforms import Platform
from release.wheels import ReleaseError

SUITE = "bookworm"
FOR_PYTHON = ("python3", "python3-venv", "ca-certificates", "tzdata")


def debian_base(target: Platform, program: str) -> str:
    """The name of a base for images of the edge, made unless it is there.

    Raises:
        ReleaseError: mmdebstrap is missing or fails; for another processor than this one it wants qemu-user-static.
    """
    packages = (*FOR_PYTHON, *(f"python3-{one}" for one in target.from_system))
    return debian_image(program, f"localhost/debian-python:{SUITE}-{target.debian}", packages, target)


def debian_image(
    program: str, name: str, packages: Sequence[str], target: Platform, changes: Sequence[str] = (), then: str = "true"
) -> str:
    """An image of these packages with the smallest Debian, under that name; made unless it is there.

    `changes` are lines of a Containerfile such as `ENTRYPOINT [...]`; `then` is a shell command whose `$1` is the new
    root.

    Raises:
        ReleaseError: see `debian_base`.
    """
    if subprocess.run([program, "image", "inspect", name], capture_output=True).returncode == 0:
        return name
    if shutil.which("mmdebstrap") is None:
        raise ReleaseError("a base of Debian's packages: not installed: apt-get install mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="offbeat-base-") as folder:
        tree = Path(folder) / "base.tar"
        wanted = [f"--architectures={target.debian}", "--variant=minbase", f"--include={','.join(packages)}"]
        wanted.append("--skip=check/qemu")  # which wants arch-test beside the emulator
        _run(["mmdebstrap", "--quiet", *wanted, f"--customize-hook={then}", SUITE, str(tree)])
        options = [f"--change={change}" for change in changes]
        if Path(program).name == "podman":  # docker takes it from --platform, where that is let
            options += [f"--arch={target.oci.split('/')[1]}", *(f"--variant={v}" for v in target.oci.split("/")[2:])]
        else:
            options.append(f"--platform={target.oci}")
        _run([program, "import", *options, str(tree), name])
    return name


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ReleaseError(f"{command[0]}: {(done.stdout + done.stderr).strip()[-1500:]}")
