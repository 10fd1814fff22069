"""The options of offbeat-sim."""
