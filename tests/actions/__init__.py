"""Verbs, where a story over HTTP cannot choose the instant."""
