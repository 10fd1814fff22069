"""Entities for Home Assistant: what the agent retains there so that it finds the device by itself."""
