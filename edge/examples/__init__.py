"""Short programs that use the front door: `python -m edge.examples.score_readings models/pump readings.csv`."""
