"""Readings as devices and programs publish them over MQTT: each an encoder from readings to messages."""
