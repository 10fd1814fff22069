"""What `make release` does: from this tree to files that a gateway is installed from, in `dist`."""
