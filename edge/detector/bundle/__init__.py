"""What was learned: plain data, and the only room that knows JSON."""
