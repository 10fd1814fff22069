"""A made-up certificate authority and what it signed, by the openssl command."""

import shutil
import subprocess
from pathlib import Path

from tests.helpers.mosquitto import missing

_CONFIG = """[ca]
default_ca = made_up
[made_up]
database = issued
serial = serial
new_certs_dir = .
policy = any
default_md = sha256
[any]
commonName = supplied
"""


class Authority:
    """`<name>.pem` and `<name>.key` of itself and of all that it signs, in one folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        if shutil.which("openssl") is None:
            missing("openssl")
        self.folder, self._name = folder, name
        (folder / "issued").write_text("")
        (folder / "serial").write_text("01")
        (folder / "config").write_text(_CONFIG)
        self._openssl(f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem")

    @property
    def pem(self) -> Path:
        """Its own certificate."""
        return self.folder / f"{self._name}.pem"

    def sign(self, name: str, names: str = "IP:127.0.0.1", days: int = 2, begins: str | None = None) -> Path:
        """A certificate made out to these names; one of 0 days has ended years ago, one that `begins` in a year such as
        "2090" holds for a month then. The key lies beside it."""
        (self.folder / "names").write_text(f"subjectAltName={names}")
        self._openssl(f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr")
        by = f"-cert {self._name}.pem -keyfile {self._name}.key -in {name}.csr -out {name}.pem -extfile names -notext"
        when = f"-days {days}" if days else "-startdate 20200101000000Z -enddate 20200201000000Z"
        if begins is not None:
            when = f"-startdate {begins}0101000000Z -enddate {begins}0201000000Z"
        self._openssl(f"ca -batch -config config {by} {when}")
        return self.folder / f"{name}.pem"

    def broker_lines(self, server: Path, wants_client: bool = False) -> tuple[str, ...]:
        """Of a mosquitto.conf."""
        lines = (f"cafile {self.pem}", f"certfile {server}", f"keyfile {server.with_suffix('.key')}")
        return ("allow_anonymous true", *lines, *(("require_certificate true",) if wants_client else ()))

    def _openssl(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)
