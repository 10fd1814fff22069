"""Writes docs/reference and docs/results.md."""
