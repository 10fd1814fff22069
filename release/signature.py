"""One list of hashes over all files, signed with an Ed25519 key: `ssh-keygen -Y`, which any machine with ssh has."""

import hashlib
import subprocess
from pathlib import Path

from release.wheels import ReleaseError

SUMS, SIGNATURE, SIGNERS = "SHA256SUMS", "SHA256SUMS.sig", "allowed_signers"
IDENTITY, PURPOSE = "offbeat", "offbeat-release"
VERIFY = (
    f"ssh-keygen -Y verify -f {SIGNERS} -I {IDENTITY} -n {PURPOSE} -s {SIGNATURE} < {SUMS} && sha256sum --check {SUMS}"
)
"""To be run in the folder of the release."""


def make_key(folder: Path) -> Path:
    """A new key without a passphrase, for a release that is only tried."""
    key = folder / "release-key"
    _ssh_keygen("-q", "-t", "ed25519", "-N", "", "-C", "made for one build", "-f", str(key))
    return key


def sign(dist: Path, key: Path) -> None:
    """Write the list of all files in `dist`, its signature, and who may sign."""
    for old in (SUMS, SIGNATURE, SIGNERS):
        (dist / old).unlink(missing_ok=True)
    files = sorted(file for file in dist.iterdir() if file.is_file())
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (dist / SUMS).write_text("".join(lines), "utf-8")
    _ssh_keygen("-q", "-Y", "sign", "-f", str(key), "-n", PURPOSE, str(dist / SUMS))
    kind, public = _ssh_keygen("-y", "-f", str(key)).split()[:2]
    if kind != "ssh-ed25519":
        raise ReleaseError(f"{key}: wanted an Ed25519 key, found {kind}: ssh-keygen -t ed25519 makes one")
    (dist / SIGNERS).write_text(f'{IDENTITY} namespaces="{PURPOSE}" {kind} {public}\n', "utf-8")


def _ssh_keygen(*arguments: str) -> str:
    try:
        done = subprocess.run(["ssh-keygen", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise ReleaseError("not installed: ssh-keygen (Debian: apt-get install openssh-client)") from error
    if done.returncode:
        raise ReleaseError(f"ssh-keygen {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
