"""`offbeat-edge schema`: the published JSON Schemas of what an agent says."""

import argparse
import sys
from importlib import resources


def schema(options: argparse.Namespace) -> int:
    """Print one; the exit status."""
    place = "event.schema.json" if options.what == "event" else f"schemas/{options.what}.schema.json"
    sys.stdout.write(resources.files("edge.wire").joinpath(place).read_text("utf-8"))
    return 0
