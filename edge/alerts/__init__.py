"""What is open, and what people made of it: the state of a stream, acknowledging and snoozing, groups."""
