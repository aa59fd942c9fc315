"""Faulty requests by what they are about."""
