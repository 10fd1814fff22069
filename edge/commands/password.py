"""`offbeat-edge password`: the hash of a password, for the page's `password_hash_file`."""

import argparse
import getpass
import sys

from edge.web.password import hashed

_SHORTEST = 8


def password(_options: argparse.Namespace) -> int:
    """Ask twice, or read a line from a pipe; print the hash. 1 where it is too short or the two differ."""
    if sys.stdin.isatty():
        given = getpass.getpass("Password: ")
        if given != getpass.getpass("Once more: "):
            print("offbeat-edge: the two are not the same", file=sys.stderr)
            return 1
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if len(given) < _SHORTEST:
        print(f"offbeat-edge: a password has {_SHORTEST} characters at least", file=sys.stderr)
        return 1
    print(hashed(given))
    return 0
