"""What crosses a link: topics, readings, serial frames, events. Standard library only."""
