"""The core, shared with train: readings in, events out. No sockets, no clock, no threads."""
