"""The machine, its sensors and its faults."""
