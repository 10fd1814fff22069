"""What survives a restart: open episodes, baselines, calibrations."""
