"""What a config costs: an agent is run on made-up readings, and its memory, processor time and writes are measured."""
