"""What `make bench` measures: the service against the least that the same machine could do for the same result."""
