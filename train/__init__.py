"""The desktop side: from normal readings to a calibrated, quantized bundle."""
