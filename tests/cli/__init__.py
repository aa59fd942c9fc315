"""The command line, each time as real processes."""
