"""`offbeat-edge watch --web`: the live page, in place of the terminal."""

import argparse
import os
import sys
from pathlib import Path

from edge.web.server import address, listen, make_server
from edge.web.service import PageService
from edge.web.settings import WebSettings
from edge.wire.broker import BrokerSettings

_BAD_SETUP = 2


def serve_page(options: argparse.Namespace, broker: BrokerSettings, root: str, device: str) -> int:
    """Serve until stopped; the exit status, 2 where the page must not or cannot be served so."""
    try:
        settings = WebSettings(
            port=options.web_port,
            host=options.web_host,
            password_hash_file=options.web_password_hash,
            cert=options.web_cert,
            key=options.web_key,
            behind_proxy=options.web_behind_proxy,
        )
        if (problem := settings.problem()) is not None:
            raise ValueError(problem)
        listening = listen(settings)
        service = PageService(broker, root, device, options.web_store or default_store())
    except (ValueError, OSError) as error:
        print(f"offbeat-edge: {error}", file=sys.stderr)
        return _BAD_SETUP
    print(f"The page: {address(settings, listening)} (Ctrl-C ends it)", flush=True)
    make_server(service, settings).run([listening])
    return 0


def default_store() -> Path:
    """Where episodes are remembered, after the XDG base directory specification."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "offbeat" / "page.db"
