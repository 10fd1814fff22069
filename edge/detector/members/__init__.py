"""The statistics of a row by name, and the constants of the decision."""
