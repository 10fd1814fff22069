"""The commands of offbeat-edge beside `run` and `watch`."""
