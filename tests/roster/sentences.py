"""What each problem of an upload says: one sentence for a code, but for the few that have several or hold numbers."""

from typing import Final

from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.columns import MAX_COLUMNS, MAX_EXT
from sharing_service.roster.reading import MAX_CELL, MAX_IDENTIFIER
from sharing_service.roster.records import MAX_RECORD

OUTSIDE: Final = "A file name in the archive points outside of it; pack the files by their plain names."
UNSEEN: Final = "A file name in the archive holds characters that cannot be seen; give the files plain names."
LONG_NAME: Final = "Give the files names of at most 255 characters."
MANY: Final = "Pack at most 100 files."
LONG_CONTENTS: Final = "The archive's table of contents is too long."
NOT_AN_ARCHIVE: Final = "Pack the CSV files themselves, not archives of them."
ARCHIVE_AS_CSV: Final = "This is an archive under the name of a CSV file; send the CSV itself."
LONG_CELL: Final = f"Shorten this cell to at most {MAX_CELL:,} characters."
LONG_IDENTIFIER: Final = f"Shorten this cell to at most {MAX_IDENTIFIER:,} characters."
ENDLESS_CELL: Final = "A cell of this row is too long; shorten it."
NUL_IN_HEADER: Final = "Take the NUL character out of the column names."
NUL_IN_ROW: Final = "Take the NUL character out of this row."

SENTENCES: Final = {
    "archive_too_large": f"Send at most {ArchiveLimits().unpacked:,} bytes of unpacked files.",
    "bad_archive": "This is not a zip archive that can be read; pack the files again.",
    "bad_quotes": "Characters follow a closing quote; double a quote that belongs to a cell.",
    "compression_ratio": "This is packed more tightly than any roster; send plain CSV files.",
    "damaged_entry": "This file is damaged inside the archive; pack it again.",
    "duplicate_column": "This column is there twice; keep one (case does not count).",
    "duplicate_entry": "The archive holds two files of one name; pack each once.",
    "duplicate_row": "An earlier row has the same key; that one counts.",
    "empty_cell": "Fill this cell; the row was taken without it.",
    "empty_file": "The file is empty; send at least the line of column names.",
    "encrypted_entry": "Pack the files without a password.",
    "ignored_file": "This file is not part of the file format and was left out.",
    "impossible_date": "This date was left empty; write a real date as m/d/yyyy or yyyy-mm-dd.",
    "link_entry": "Pack the files themselves, not links to them.",
    "long_column_name": f"This column was left out; give it a name of at most {MAX_EXT} characters.",
    "missing_column": "Add this column; the file cannot be read without it.",
    "missing_key": "Fill this cell; without it the row cannot be used.",
    "no_header": "The first line does not name the columns; put the column names there.",
    "not_utf8": "This line is not UTF-8; save the file as UTF-8.",
    "overlapping_entries": "Files of the archive share their bytes; pack the files again.",
    "record_too_long": (
        f"A record that begins here is longer than {MAX_RECORD:,} bytes; look for a quote that is not closed."
    ),
    "scattered_files": "Put all files at the root of the archive or into one folder there.",
    "school_mismatch": "The section is at another school; the school of the section counts.",
    "ssn_column": "Take this column out: files that carry social security numbers are not accepted.",
    "too_many_columns": f"Send at most {MAX_COLUMNS:,} columns.",
    "unclosed_quote": (
        "A quote opens on this line and is not closed as it should be; close it, or double it inside a cell."
    ),
    "unknown_column": "This column is not part of the file format and was left out; name it ext.NAME to keep it.",
    "unknown_compression": "Pack the files with the common method of zip (deflate).",
    "unknown_gender": "This gender was left empty; use M, F or X.",
    "unknown_grade": "This grade is not in the list of grades and was read as Other; use a listed grade.",
    "unknown_race": "This race was left empty; use A, B, I, M, P or W, or one of their names.",
    "unknown_school": "No accepted row of schools.csv has this id; the row was rejected.",
    "unknown_section": "No accepted row of sections.csv has this id; the row was rejected.",
    "unknown_student": "No accepted row of students.csv has this id; the row was rejected.",
    "unknown_subject": "This subject is not in the list of subjects and was read as other; use a listed subject.",
    "unknown_teacher": "No accepted row of teachers.csv has this id; the section goes without this teacher.",
    "unknown_yes_no": "This value was left empty; use Y or N.",
}
SEVERAL: Final = {
    "cell_too_long": {LONG_CELL, LONG_IDENTIFIER, ENDLESS_CELL},
    "missing_file": {
        "Send this file; it may hold only the line of column names.",
        "Send this file under exactly this name; file names are case-sensitive.",
    },
    "nested_archive": {NOT_AN_ARCHIVE, ARCHIVE_AS_CSV},
    "nul_character": {NUL_IN_HEADER, NUL_IN_ROW},
    "too_many_entries": {MANY, LONG_CONTENTS},
    "unsafe_name": {OUTSIDE, UNSEEN, LONG_NAME},
}


def miscounted(count: int, width: int) -> str:
    """What is said of a row that has `count` cells under a header of `width`."""
    return f"The row has {count:,} columns and the header {width:,}; give each row as many as the header."
