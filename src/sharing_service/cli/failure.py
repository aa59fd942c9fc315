"""The error that ends a command with a sentence instead of a traceback."""


class CommandFailed(Exception):
    """A command cannot go on; the message says what to do."""
