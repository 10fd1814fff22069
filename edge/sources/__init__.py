"""Transport in: MQTT, serial, file and stdin."""
