"""Who is calling: callers and their tokens."""
