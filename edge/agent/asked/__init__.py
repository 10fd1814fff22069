"""Requests that the agent's thread carries out between two rows."""
