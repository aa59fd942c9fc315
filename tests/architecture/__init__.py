"""The laws of the project, each a test whose docstring is the law."""
