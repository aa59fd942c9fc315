"""How a sync ended, as a person reads it in a terminal."""

from typing import Any, Final

COUNTS: Final = ("added", "changed", "removed", "rejected")
SHOWN: Final = 20
"""Problems that a terminal shows."""
ENDINGS: Final = {
    "published": "The roster is published at revision {revision}.",
    "checked": "Checked only; nothing was changed.",
    "held": "Held for a person, since it would change unusually much; the old roster serves meanwhile. Release it with "
    "POST /v1/districts/{district}/syncs/{id}/release, or discard it with .../discard.",
    "failed": "Failed; nothing was changed.",
    "discarded": "Discarded; nothing was changed.",
}


def print_report(sync: dict[str, Any], *, district: str) -> None:
    """Print the numbers of each kind, the problems and the ending of a finished sync."""
    rows = [(kind, *(f"{counts.get(count, 0):,}" for count in COUNTS)) for kind, counts in sync["report"].items()]
    if rows:
        table = [("", *COUNTS), *rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for name, *numbers in table:
            cells = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
            print("  ".join((name.ljust(widths[0]), *cells)).rstrip())
        print()
    for problem in sync["problems"][:SHOWN]:
        print(_line_of(problem))
    if sync["problem_count"] > SHOWN:
        where = f"/v1/districts/{district}/syncs/{sync['id']}"
        print(f"... and {sync['problem_count'] - SHOWN:,} more problems: GET {where}")
    print(ENDINGS[sync["status"]].format(district=district, **sync))


def _line_of(problem: dict[str, Any]) -> str:
    place = ":".join(str(part) for part in (problem["file"], problem["line"]) if part not in ("", None))
    column = f" {problem['column']}" if problem["column"] else ""
    text = f"{problem['severity']} {place}{column}: {problem['message']} ({problem['code']})".replace("  ", " ")
    # A terminal would obey what stands in the name of a column.
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
