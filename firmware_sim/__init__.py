"""A simulated sensor board: machine physics, faults with truth labels, firmware behaviour, links."""
