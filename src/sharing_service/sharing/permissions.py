"""Sharing permissions and site selections: request body, JSONB column and domain value at once."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, StrictBool, TypeAdapter

from sharing_service.sharing.rules import Rules, Strict

MAX_SCHOOLS: Final = 10_000
MAX_SECTIONS: Final = 100_000

SectionIds = Annotated[tuple[UUID, ...], Field(max_length=MAX_SECTIONS)]


class ShareDistrict(Strict):
    """Everything the district has; staff only if wanted."""

    mode: Literal["district"]
    include_staff: StrictBool = False


class ShareSchools(Strict):
    """Some schools, their sections and everybody at them."""

    mode: Literal["schools"]
    school_ids: Annotated[tuple[UUID, ...], Field(max_length=MAX_SCHOOLS)]
    include_staff: StrictBool = False


class ShareSections(Strict):
    """A frozen list of sections; their people stay up to date."""

    mode: Literal["sections"]
    section_ids: SectionIds


class ShareByRules(Strict):
    """Whatever the rules match at each sync, less the exceptions."""

    mode: Literal["rules"]
    rules: Rules
    exceptions: Annotated[Rules, Field(alias="except")] = ()


class ShareBySchoolSite(Strict):
    """What each school selected for itself."""

    mode: Literal["school_site"]


SharingPermission = Annotated[
    ShareDistrict | ShareSchools | ShareSections | ShareByRules | ShareBySchoolSite, Field(discriminator="mode")
]


class SelectNothing(Strict):
    """The school shares nothing; so does a school that never chose."""

    share: Literal["nothing"]


class SelectEveryone(Strict):
    """The school, its sections and everybody at it."""

    share: Literal["everyone"]
    include_staff: StrictBool = False


class SelectSections(Strict):
    """A frozen list of sections of this school."""

    share: Literal["sections"]
    section_ids: SectionIds


class SelectByRules(Strict):
    """Rules and exceptions that act within this school."""

    share: Literal["rules"]
    rules: Rules
    exceptions: Annotated[Rules, Field(alias="except")] = ()


SiteSelection = Annotated[SelectNothing | SelectEveryone | SelectSections | SelectByRules, Field(discriminator="share")]

SHARING: Final[TypeAdapter[SharingPermission]] = TypeAdapter(SharingPermission)
SITE: Final[TypeAdapter[SiteSelection]] = TypeAdapter(SiteSelection)


def as_json(value: Strict) -> dict[str, Any]:
    """The JSON form of a permission or selection, as it is stored and shown."""
    return value.model_dump(mode="json", by_alias=True)
