"""What a generated district promises."""
