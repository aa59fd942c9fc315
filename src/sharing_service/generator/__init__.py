"""Realistic districts of any size, the same bytes for the same seed, for the demo, the benchmarks and the tests."""
