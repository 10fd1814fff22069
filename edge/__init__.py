"""What runs on the device: readings in, anomaly events out."""

__version__ = "0.1.0"
