"""The commands of offbeat-train, a module each: `add_parser(subparsers)` and `run(args) -> exit status`.

`add_parser` imports nothing heavy; `run` imports what it needs.
"""
