"""The sensor board."""
