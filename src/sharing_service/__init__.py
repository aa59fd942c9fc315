"""The sharing service: one roster a district, one sharing permission an application."""
