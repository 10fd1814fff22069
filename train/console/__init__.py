"""What the terminal shows: words, times, errors."""
