"""A row becomes a score."""
