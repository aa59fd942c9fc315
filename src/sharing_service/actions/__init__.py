"""Verbs: what the service does, one file each, one line of the audit trail each."""
