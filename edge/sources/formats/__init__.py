"""Messages as devices and programs publish them over MQTT, each a function from topic and payload to readings."""
