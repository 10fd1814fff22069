"""`make test-arm`: the release on real ARM userlands of Debian's packages, emulated; the README beside it says how."""
