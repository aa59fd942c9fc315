"""The roster of a district: its fields, ordinals, uploads, sync and queries."""
