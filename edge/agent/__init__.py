"""The agent: readings in, alerts out, for years."""
