"""Writes docs/asvs.md: `python -m tests.asvs`."""

from tests.asvs.sheet import PAGE, marked, read, sheet

if __name__ == "__main__":
    PAGE.write_text(sheet(*read(), marked()), encoding="utf-8")
