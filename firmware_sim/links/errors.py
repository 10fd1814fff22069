"""The one exception of the links."""


class LinkError(Exception):
    """The link cannot be opened or has gone for good; one line that names the endpoint."""
