"""The walls between districts: each holds where another has fallen."""
