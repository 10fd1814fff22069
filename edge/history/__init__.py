"""Rows that are kept to look back at: around each alert, the latest of each stream, and for the next training."""
