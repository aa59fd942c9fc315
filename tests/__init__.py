"""Tests as sentences on real parts: stories over HTTP, laws of the architecture, and a mirror of the source."""
