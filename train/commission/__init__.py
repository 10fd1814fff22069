"""A bundle is calibrated for a device."""
