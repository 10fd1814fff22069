"""Posts each alert to an address, signed, until it is taken: at least once, with a key to know a second copy by.

OFFBEAT_SECRET=... python -m edge.examples.send_webhook https://example.org/alerts localhost 1883

`X-Offbeat-Signature` is `sha256=` and the HMAC of the body; `Idempotency-Key` is the same for copies of one alert. An
answer that says of the alert itself that it is none (400, 413, 415, 422) is taken as its end; whatever else the
receiver answers is tried again, a redirection too, which is not followed: that would leave the alert out.
"""

import hashlib
import hmac
import http.client
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress

from edge import AlertReader, BrokerSettings, EventMessage

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_REFUSED = (400, 413, 415, 422)


class _NotElsewhere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


class Webhook:
    """Called back by a reader; returns once the alert was taken, or refused for what it is."""

    def __init__(self, url: str, secret: bytes, stop: threading.Event, first_wait_s: float = _FIRST_WAIT_S) -> None:
        self._url, self._secret, self._stop, self._first_wait_s = url, secret, stop, first_wait_s
        self._opener = urllib.request.build_opener(_NotElsewhere)

    def __call__(self, message: EventMessage, payload: bytes) -> None:
        """Post it.

        Raises:
            InterruptedError: stopped before it was taken; the alert stays unread.
        """
        wait_s = self._first_wait_s
        while not self._is_settled(message, payload):
            if self._stop.wait(wait_s):
                raise InterruptedError("stopped")
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _is_settled(self, message: EventMessage, payload: bytes) -> bool:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": urllib.parse.quote(f"{message.device}-{message.log}-{message.seq}", safe=""),
            "X-Offbeat-Signature": "sha256=" + hmac.new(self._secret, payload, hashlib.sha256).hexdigest(),
        }
        try:
            with self._opener.open(urllib.request.Request(self._url, payload, headers), timeout=10):
                return True
        except urllib.error.HTTPError as error:
            refused, elsewhere = error.code in _REFUSED, error.headers.get("location")
            more = f" to {elsewhere}: give that address" if elsewhere else ""
            print(f"{error.code} {error.reason}{more}{'; given up' if refused else '; again'}", file=sys.stderr)
            return refused
        except (OSError, http.client.HTTPException) as error:
            print(f"{error or type(error).__name__}; again", file=sys.stderr)
            return False


def main(url: str, host: str = "localhost", port: str = "1883") -> None:
    """Read until interrupted; the broker keeps what comes while this is away."""
    stop = threading.Event()
    webhook = Webhook(url, os.environ["OFFBEAT_SECRET"].encode(), stop)
    reader = AlertReader(BrokerSettings(host=host, port=int(port), client_id="offbeat-webhook"), webhook)
    with suppress(KeyboardInterrupt):
        reader.run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
