"""The other end: subscribing to alerts."""
