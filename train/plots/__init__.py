"""Figures of the report, each a function from plain arrays to a Matplotlib figure."""
