"""Transport out of the simulated board: CSV files, stdout, MQTT, serial."""
