"""A recording played as a live board."""
