"""Transport out: durable outbox, MQTT publisher, health."""
