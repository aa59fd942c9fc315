"""What an application sees of shared records, read naively: never the id of a record that is not shared."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from tests.oracle_rules import section_name
from tests.world import Ids, Key, World


@dataclass(frozen=True)
class SeenSection:
    """What an application sees of a section: shared records only."""

    name: str
    school: str
    course: tuple[str, ...] | None
    term: tuple[str, ...] | None
    students: Set[str]
    teachers: Sequence[str]
    teacher: str | None


@dataclass(frozen=True)
class SeenPerson:
    """Of the schools that a person is at, the shared ones."""

    schools: Sequence[str]

    @property
    def school(self) -> str | None:
        """The first of them."""
        return next(iter(self.schools), None)


@dataclass(frozen=True)
class Shared:
    """What a grant shares, by sis_id, and what is seen of it; contacts by key, with their shared students."""

    schools: Set[str]
    sections: Mapping[str, SeenSection]
    students: Mapping[str, SeenPerson]
    teachers: Mapping[str, SeenPerson]
    staff: Mapping[str, SeenPerson]
    courses: Set[tuple[str, ...]]
    terms: Set[tuple[str, ...]]
    contacts: Mapping[tuple[str, ...], Set[str]]


def seen(world: World, found: Set[Key], ids: Ids) -> Shared:
    """Shared records, and of what they refer to the shared part."""
    sections = {sis_id: seen_section(world, sis_id, found) for kind, sis_id in found if kind == "sections"}
    contacts = {c.key: {student for student in c.students if ("students", student) in found} for c in world.contacts}
    return Shared(
        schools={sis_id for kind, sis_id in found if kind == "schools"},
        sections=sections,
        students=seen_people(world, "students", found, ids),
        teachers=seen_people(world, "teachers", found, ids),
        staff=seen_people(world, "staff", found, ids),
        courses={section.course for section in sections.values() if section.course},
        terms={section.term for section in sections.values() if section.term},
        contacts={key: students for key, students in contacts.items() if students},
    )


def seen_section(world: World, sis_id: str, found: Set[Key]) -> SeenSection:
    """A section with its shared people; the first shared teacher is the primary one if that one is shared."""
    section = world.sections[sis_id]
    teachers = [teacher for teacher in section.teachers if ("teachers", teacher) in found]
    return SeenSection(
        name=section_name(world, sis_id),
        school=section.school,
        course=section.course,
        term=section.term,
        students={student for kind, student in world.students_in(sis_id) & found},
        teachers=teachers,
        teacher=teachers[0] if teachers else None,
    )


def seen_people(world: World, kind: str, found: Set[Key], ids: Ids) -> Mapping[str, SeenPerson]:
    """People with the shared schools they are at: own rows first, then by id, which ascends with the ordinal."""
    people = {}
    for sis_id in (sis_id for other, sis_id in found if other == kind):
        own = world.of(kind)[sis_id].schools
        others = sorted(world.at(kind, sis_id) - {*own}, key=lambda school: ids["schools", school])
        people[sis_id] = SeenPerson([school for school in (*own, *others) if ("schools", school) in found])
    return people
