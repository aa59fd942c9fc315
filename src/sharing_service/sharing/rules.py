"""Rules and exceptions: conditions of one rule must all hold, one value of a condition suffices, rules unite.

A negative operator with several values denies them all: `is_not` [a, b] holds for what is neither a nor b.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from sharing_service.roster.catalogue import EXTENSIBLE, Kind, rule_fields

MAX_RULES: Final = 50
MAX_CONDITIONS: Final = 20
MAX_VALUES: Final = 1000
MAX_TEXT: Final = 200

EXT: Final = "ext."


def storable(text: str) -> str:
    """Refuse what a database text cannot hold: NUL and lone surrogates."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain NUL or a lone surrogate")
    return text


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(storable)]


class Operator(StrEnum):
    """How a field is compared with the values of a condition."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    DOES_NOT_CONTAIN = "does_not_contain"
    STARTS_WITH = "starts_with"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"


VALUELESS: Final = frozenset({Operator.IS_EMPTY, Operator.IS_NOT_EMPTY})


class Strict(BaseModel):
    """Values of this package: frozen, and closed to members they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Strict):
    """One field, one operator, and values of which one must fit."""

    field: Text
    operator: Operator
    values: Annotated[tuple[Text, ...], Field(max_length=MAX_VALUES)] = ()
    case_sensitive: StrictBool = True

    @model_validator(mode="after")
    def values_fit_operator(self) -> "Condition":
        """`is_empty` and `is_not_empty` take no values, every other operator at least one."""
        if self.operator in VALUELESS and self.values:
            raise ValueError("this operator takes no values")
        if self.operator not in VALUELESS and not self.values:
            raise ValueError("give at least one value that is not empty")
        return self


Conditions = Annotated[tuple[Condition, ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class _Rule(Strict):
    where: Conditions

    @model_validator(mode="after")
    def fields_exist(self) -> Any:
        """A rule may test the rule fields of its kind, and `ext.NAME` where the kind has extensions."""
        kind = Kind(getattr(self, "match"))  # noqa: B009 - each subclass declares its own literal
        known = rule_fields(kind)
        for number, condition in enumerate(self.where):
            extension = condition.field.startswith(EXT) and len(condition.field) > len(EXT) and kind in EXTENSIBLE
            if condition.field not in known and not extension:
                raise ValueError(f"condition {number}: {kind} have no such rule field; use one of {sorted(known)}")
        return self


class SectionRule(_Rule):
    """Matches sections; shares them and their people."""

    match: Literal["sections"]


class StudentRule(_Rule):
    """Matches students; as companions, the sections they are enrolled in and the teachers of those."""

    match: Literal["students"]
    companions: StrictBool = True


class TeacherRule(_Rule):
    """Matches teachers; as companions, the sections they teach and the students of those."""

    match: Literal["teachers"]
    companions: StrictBool = False


class StaffRule(_Rule):
    """Matches staff."""

    match: Literal["staff"]


Rule = Annotated[SectionRule | StudentRule | TeacherRule | StaffRule, Field(discriminator="match")]
Rules = Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)]
