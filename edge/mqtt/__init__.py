"""One connection to an MQTT broker, as delivery, sources, watch and commands share it."""
