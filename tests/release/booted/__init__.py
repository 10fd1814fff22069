"""The Debian package in a Debian that has booted; `make test-package`."""
