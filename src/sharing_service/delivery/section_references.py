"""What a section refers to as one application sees it, put together from ordinals: its people may be any number."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyroaring import AbstractBitMap, BitMap

from sharing_service.delivery.views import View


def members(row: Mapping[str, Any], view: View, persons: BitMap) -> Iterator[str]:
    """What a section refers to, reduced to what is shared, as JSON members; `persons` gets who is in them."""
    people = view.people
    students = _seen(row["students"], row["student_ids"], people)
    teachers = _seen(row["teachers"], row["teacher_ids"], people)
    persons |= BitMap((*(row["students"] or ()), *(row["teachers"] or ()))) & people
    yield f'"school":{_reference(row["school"], row["school_id"], view.of("schools"))}'
    yield f'"course":{_reference(row["course"], row["course_id"], view.of("courses"))}'
    yield f'"term_id":{_reference(row["term"], row["term_id"], view.of("terms"))}'
    yield f'"students":{_ids(students)}'
    yield f'"teacher":{_first(teachers)}'
    yield f'"teachers":{_ids(teachers)}'


def _seen(ordinals: Sequence[int] | None, texts: Sequence[str] | None, shared: AbstractBitMap) -> list[str]:
    return [text for ordinal, text in zip(ordinals or (), texts or (), strict=True) if ordinal in shared]


def _ids(ids: Sequence[str]) -> str:
    return '["' + '","'.join(ids) + '"]' if ids else "[]"


def _first(ids: Sequence[str]) -> str:
    return f'"{ids[0]}"' if ids else "null"


def _reference(ordinal: int | None, record_id: str | None, shared: AbstractBitMap) -> str:
    return f'"{record_id}"' if ordinal is not None and ordinal in shared else "null"
