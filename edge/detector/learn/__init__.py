"""Normal rows become a calibration."""
