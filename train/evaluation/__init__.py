"""Recordings are played through a bundle and judged."""
