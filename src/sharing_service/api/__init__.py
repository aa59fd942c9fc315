"""Faces over HTTP: one module an audience."""
