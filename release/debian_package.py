"""A Debian package of the release's wheel: its environment is unpacked, not built, so a PC makes it for ARM too."""

import shutil
import subprocess
from email.utils import formatdate
from pathlib import Path

from release import sbom
from release.platforms import DEBIAN_PYTHON, ROOT, Platform
from release.version import debian_version
from release.wheels import ReleaseError, unpack

_HOME = "usr/lib/offbeat"
_COMMANDS = {"offbeat-edge": "main_edge", "offbeat-sim": "main_sim"}
"""What runs on a gateway; training wants a desktop."""
TOOLS = {"dpkg-buildpackage": "dpkg-dev", "dh": "debhelper", "lintian": "lintian", f"python{DEBIAN_PYTHON}": "python3"}


def missing() -> str | None:
    """What has to be installed to build one; None where nothing has."""
    packages = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    return f"not installed: apt-get install {' '.join(packages)} (Debian 12)" if packages else None


def build(target: Platform, wheels: list[Path], work: Path, dist: Path) -> Path:
    """The package in `dist`, with its bill of materials beside it.

    Raises:
        ReleaseError: a tool is missing or failed; lintian found an error without an override.
    """
    if problem := missing():
        raise ReleaseError(f"a Debian package: {problem}")
    source = work / f"deb-{target.debian}" / "offbeat"
    shutil.rmtree(source.parent, ignore_errors=True)
    files = source / "files"
    site = files / _HOME / f"lib/python{DEBIAN_PYTHON}/site-packages"
    unpack(target, DEBIAN_PYTHON, wheels, site)
    _tidy(site, files)
    _environment(files, target)
    bill = sbom.bill(site, f"offbeat_{target.debian}.deb", debian_version())
    _documents(files, bill)
    _recipe(source, target)
    _run(["dpkg-buildpackage", f"--host-arch={target.debian}", "-b", "-us", "-uc", "-d"], source)
    (made,) = source.parent.glob("*.deb")
    _run(["lintian", "--fail-on", "error", "--tag-display-limit", "0", "--profile", "debian", str(made)], source)
    (dist / f"{made.stem}.cdx.json").write_text(bill, "utf-8")
    return shutil.copy2(made, dist / made.name)


def _tidy(site: Path, files: Path) -> None:
    """Take out what is not imported; what the wheel brings for a gateway goes where Debian has such things."""
    share = files / "usr/share/offbeat"
    share.mkdir(parents=True)
    shutil.copytree(site / "share/offbeat/models", share / "models")
    shutil.copy2(site / "share/offbeat/agent.example.toml", share)
    # Compilers and plugins for the accelerators of phones: the interpreter, all that is used here, does not know them.
    for name in ("share", "bin", "ai_edge_litert/vendors", "ai_edge_litert/tools"):
        shutil.rmtree(site / name, ignore_errors=True)
    for folder in [one for name in ("tests", "__pycache__") for one in site.rglob(name) if one.is_dir()]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in site.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
    compile_all = [f"python{DEBIAN_PYTHON}", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    _run([*compile_all, "-s", str(files), "-p", "/", str(site)], files)


def _environment(files: Path, target: Platform) -> None:
    """A virtual environment by hand: `python -m venv` would write this machine's paths into it."""
    home = files / _HOME
    (home / "bin").mkdir()
    (home / "bin/python3").symlink_to(f"/usr/bin/python{DEBIAN_PYTHON}")
    system = "true" if target.from_system else "false"
    (home / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = {system}\n", "utf-8")
    (files / "usr/bin").mkdir(parents=True)
    for name, function in _COMMANDS.items():
        script = home / "bin" / name
        script.write_text(
            f"#!/{_HOME}/bin/python3\nimport sys\n\nimport offbeat\n\nsys.exit(offbeat.{function}())\n", "utf-8"
        )
        script.chmod(0o755)
        (files / "usr/bin" / name).symlink_to(f"../lib/offbeat/bin/{name}")


def _documents(files: Path, bill: str) -> None:
    documents = files / "usr/share/doc/offbeat"
    documents.mkdir(parents=True)
    (documents / "bill-of-materials.json").write_text(bill, "utf-8")
    for name in ("install-on-a-gateway.md", "run-under-systemd.md", "run-an-agent.md"):
        shutil.copy2(ROOT / "docs/how-to" / name, documents)
    overrides = files / "usr/share/lintian/overrides"
    overrides.mkdir(parents=True)
    shutil.copy2(ROOT / "release/debian/lintian-overrides", overrides / "offbeat")
    etc = files / "etc/offbeat"
    (etc / "credentials").mkdir(parents=True, mode=0o700)
    (etc / "agent.toml").write_text(config((ROOT / "agent.example.toml").read_text("utf-8")), "utf-8")


def config(example: str) -> str:
    """The example with the package's own places.

    Raises:
        ReleaseError: the example no longer has the lines that name them.
    """
    places = {
        'bundle = "models/pump" ': 'bundle = "/usr/share/offbeat/models/pump" ',
        '# state_dir = "state" ': 'state_dir = "/var/lib/offbeat" ',
    }
    for old, new in places.items():
        if example.count(f"\n{old}") != 1:
            raise ReleaseError(f"agent.example.toml: wanted one line {old!r}")
        example = example.replace(f"\n{old}", f"\n{new}")
    return example


def _recipe(source: Path, target: Platform) -> None:
    """debian/, filled in."""
    recipe = source / "debian"
    shutil.copytree(ROOT / "release/debian", recipe)
    (recipe / "lintian-overrides").unlink()
    shutil.copy2(ROOT / "release/offbeat.service", recipe / "offbeat.service")
    after = f"3.{int(DEBIAN_PYTHON.split('.')[1]) + 1}"
    needs = [
        f"python3 (>= {DEBIAN_PYTHON})",
        f"python3 (<< {after})",
        *(f"python3-{one}" for one in target.from_system),
    ]
    control = recipe / "control"
    control.write_text(control.read_text("utf-8").replace("@PYTHON_DEPENDS@", ", ".join(needs)), "utf-8")
    entry = f"offbeat ({debian_version()}) bookworm; urgency=medium\n\n  * See CHANGELOG.md of the source archive.\n\n"
    who = " -- Offbeat <offbeat@localhost.localdomain>  "
    (recipe / "changelog").write_text(entry + who + formatdate() + "\n", "utf-8")
    (recipe / "rules").chmod(0o755)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ReleaseError(f"{command[0]}: {(done.stdout + done.stderr).strip()[-3000:]}")
