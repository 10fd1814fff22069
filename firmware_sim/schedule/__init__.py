"""When which fault begins."""
