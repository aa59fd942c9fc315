"""CSV files written the slow way, of the rows of a list: what a download must be, byte for byte."""

import csv
import io
import json
from typing import Any

from tests.factories.service import Json


def csv_of(rows: list[Json]) -> bytes:
    """The file of some rows, of which there is at least one."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case list():
            return ";".join(value)
        case dict():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return f"'{value}" if str(value).startswith(tuple("=+-@\t\r")) else str(value)
