"""Permissions, rules, resolver and grants."""
