"""The first inference of a bundle not seen before, in a process of its own: what ends or hangs a runtime ends that."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from edge.detector.bundle.files import Bundle, BundleError, Variant, load_bundle, write_atomically
from edge.detector.score.runtime import available_runtimes, open_model

_LONGEST_S = 30.0
"""Python and a runtime come from an SD card first, while all else starts too; systemd grants a start three of it."""
_BETWEEN_ROWS_S = 10.0
"""Less than a watchdog grants."""
_KEPT = 1000


class Trial:
    """Tries bundles once; `memo` keeps the hashes of those that passed, or None: each is tried every time.

    Where rows wait meanwhile, `between_rows`, it is given less time; so is a second attempt.
    """

    def __init__(self, memo: Path | None, between_rows: bool = False) -> None:
        self._memo = memo
        self._longest_s = _BETWEEN_ROWS_S if between_rows else _LONGEST_S

    def passed(self, bundle: Bundle) -> None:
        """Try all variants that may run here, unless they have passed before.

        Raises:
            BundleError: one ends the process, or takes too long.
        """
        known = self._known()
        if bundle.sha256 in known:
            return
        line = [sys.executable, "-m", "edge.agent.trial", str(bundle.folder.absolute()), bundle.sha256]
        # Not the environment's own journal and notify sockets: the child says nothing to systemd.
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        root = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
        try:
            done = subprocess.run(
                line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._longest_s
            )
        except subprocess.TimeoutExpired as error:
            found = f"takes longer than {self._longest_s:g} s for a window"
            self._longest_s = min(self._longest_s, _BETWEEN_ROWS_S)
            raise _refusal(bundle, error.stdout, found) from error
        except OSError:  # no memory for a process: the bundle is no worse for that
            return
        if done.returncode < 0:
            raise _refusal(bundle, done.stdout, f"ends the runtime (signal {-done.returncode})")
        if done.returncode == 0:
            self._keep([*known, bundle.sha256][-_KEPT:])

    def _known(self) -> list[str]:
        try:
            return [] if self._memo is None else self._memo.read_text("ascii").split()
        except (OSError, ValueError):
            return []

    def _keep(self, known: list[str]) -> None:
        if self._memo is not None:
            try:
                write_atomically(self._memo, ("\n".join(known) + "\n").encode())
            except OSError:  # it is tried again at the next start
                return


def _refusal(bundle: Bundle, said: bytes | None, what: str) -> BundleError:
    names = (said or b"").decode("ascii", "replace").split()
    return BundleError(
        f"{bundle.folder}: variant {names[-1] if names else '?'} {what}; fit it again with offbeat-train"
    )


def _run(bundle: Bundle, variant: Variant, runtime: str) -> None:
    model = open_model(bundle.folder / variant.file, variant.batch, runtime, variant.sha256)
    for batch in variant.batch:
        model.run(np.zeros((batch, bundle.window, len(bundle.channels)), np.float32))


def main(folder: str, sha256: str) -> int:
    """Run each variant, naming it first; 1 where the folder holds another bundle by now or one that says why not."""
    try:
        bundle = load_bundle(folder)
        if bundle.sha256 != sha256:
            return 1
        for variant in bundle.variants:
            for runtime in set(variant.runtimes) & set(available_runtimes()):
                print(variant.name, flush=True)
                _run(bundle, variant, runtime)
    except (BundleError, RuntimeError, ValueError):  # the parent finds the same, and says so
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
