"""Uploads, their checks and the roster they become."""
