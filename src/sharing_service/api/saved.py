"""What a save of sharing answers: counts and changes of the kinds that a district watches."""

from collections.abc import Mapping

from pydantic import BaseModel

from sharing_service.delivery.ledger import COUNTED, Change
from sharing_service.roster.catalogue import Kind


class ChangeCounts(BaseModel):
    """How many records of one kind a save adds and removes."""

    added: int
    removed: int


class Counts(BaseModel):
    """How many records of each kind are shared."""

    schools: int
    sections: int
    students: int
    teachers: int
    staff: int


class ChangesShown(BaseModel):
    """What a save changes, kind by kind."""

    schools: ChangeCounts
    sections: ChangeCounts
    students: ChangeCounts
    teachers: ChangeCounts
    staff: ChangeCounts


def changes_shown(changes: Mapping[Kind, Change]) -> ChangesShown:
    """The sizes of changes."""
    sizes = {kind.value: {"added": len(changes[kind].added), "removed": len(changes[kind].removed)} for kind in COUNTED}
    return ChangesShown.model_validate(sizes)
