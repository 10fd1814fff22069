"""offbeat-train sign: a bundle's signature, for gateways that take signed ones only."""

import argparse
from typing import Any


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command's parser."""
    from pathlib import Path

    parser = subparsers.add_parser("sign", help="sign a bundle for gateways that have the public key")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="Ed25519 private key, PEM")
    parser.add_argument("--counter", type=int, metavar="N", help="gateways refuse lower ones (default: Unix time)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Check the bundle and write its signature beside the manifest."""
    import time

    from edge.detector.bundle.files import MANIFEST, load_bundle, write_atomically
    from edge.trust.envelope import SIGNATURE, SignatureError, sign
    from train.console.terminal import echo, terminal

    bundle = load_bundle(args.bundle)
    counter = int(time.time()) if args.counter is None else args.counter
    if not 0 < counter < 2**63:
        raise SignatureError(f"--counter is {counter}, wanted 1 to {2**63 - 1}")
    envelope = sign((args.bundle / MANIFEST).read_bytes(), counter, args.key)
    write_atomically(args.bundle / SIGNATURE, envelope)
    echo(terminal(), f"{args.bundle / SIGNATURE}: {bundle.name} {bundle.sha256[:12]}, counter {counter}")
    return 0
