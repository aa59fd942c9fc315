"""Records of the partner API: what an application is told of each, and of others by way of it."""

from uuid import UUID

from sqlalchemy import delete

from sharing_service.database import enter_district
from sharing_service.delivery.models import documents
from sharing_service.roster.catalogue import Kind
from tests.factories.partner import Readers, Riverbend
from tests.factories.service import EVERY_FIELD


async def test_a_student_is_told_by_all_granted_groups(readers: Readers, riverbend: Riverbend) -> None:
    """A student carries every field of the granted groups, null or an empty string where there is no value."""
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    ann = riverbend.id("people", riverbend.ann)
    answer = await reader.get(f"/users/{ann}")
    north = riverbend.id("schools", riverbend.north)
    data = answer["data"]
    assert data.pop("created").endswith("Z")
    assert data.pop("last_modified").endswith("Z")
    assert data == {
        "id": ann,
        "district": str(riverbend.roster.district_id),
        "email": "ann@x.org",
        "name": {"first": 'An"n', "middle": "", "last": "Árbol"},
        "roles": {
            "student": {
                "school": north,
                "schools": [north],
                "enrollments": [{"school": north, "start_date": None, "end_date": None}],
                "sis_id": "ann",
                "grade": "3",
                "graduation_year": None,
                "student_number": None,
                "state_id": None,
                "gender": None,
                "dob": None,
                "race": None,
                "hispanic_ethnicity": None,
                "home_language": None,
                "ell_status": None,
                "frl_status": None,
                "iep_status": None,
                "location": {"address": "", "city": "Lee", "state": "", "zip": ""},
                "credentials": {"district_username": ""},
                "ext": {},
            }
        },
    }
    assert {link["rel"] for link in answer["links"]} == {
        "self",
        "district",
        "schools",
        "sections",
        "myTeachers",
        "myContacts",
    }


async def test_without_groups_only_identity_is_told(readers: Readers, riverbend: Riverbend) -> None:
    """An application that asks for no groups gets no key of one, no contacts and no role of theirs.

    Catches fragments that are sent whether or not their group is granted.
    """
    reader = await readers.connect(riverbend.roster.everything())
    ann = (await reader.get(f"/users/{riverbend.id('people', riverbend.ann)}"))["data"]
    assert set(ann) == {"id", "district", "name", "created", "last_modified", "roles"}
    assert set(ann["roles"]["student"]) == {"school", "schools", "enrollments", "sis_id", "grade", "graduation_year"}
    south = (await reader.get(f"/schools/{riverbend.id('schools', riverbend.south)}"))["data"]
    assert "ext" not in south
    everybody = [riverbend.ann, riverbend.ben, riverbend.cal, riverbend.tom, riverbend.una, riverbend.yan]
    assert await reader.ids("/users") == riverbend.ids("people", *everybody)
    assert await reader.ids("/users?role=contact") == []
    assert await reader.ids(f"/users/{ann['id']}/mycontacts") == []
    await reader.get(f"/users/{riverbend.id('people', riverbend.bea)}", status=404)


async def test_a_section_names_shared_people_only(readers: Readers, riverbend: Riverbend) -> None:
    """A section whose primary teacher is not shared names the first shared one, and only shared students.

    Catches references that are sent unfiltered.
    """
    shared = {
        Kind.SCHOOLS: [riverbend.north],
        Kind.SECTIONS: [riverbend.algebra],
        Kind.COURSES: [riverbend.algebra_course],
        Kind.TERMS: [riverbend.fall],
        Kind.STUDENTS: [riverbend.ben],
        Kind.TEACHERS: [riverbend.una],
    }
    reader = await readers.connect(shared)
    algebra = (await reader.get(f"/sections/{riverbend.id('sections', riverbend.algebra)}"))["data"]
    una, ben = riverbend.ids("people", riverbend.una, riverbend.ben)
    assert (algebra["teacher"], algebra["teachers"], algebra["students"]) == (una, [una], [ben])
    assert algebra["school"] == riverbend.id("schools", riverbend.north)
    assert algebra["course"] == riverbend.id("courses", riverbend.algebra_course)
    assert algebra["term_id"] == riverbend.id("terms", riverbend.fall)
    assert (await reader.get(f"/users/{ben}"))["data"]["roles"]["student"]["schools"] == [algebra["school"]]


async def test_a_person_shows_shared_schools_own_rows_first(readers: Readers, riverbend: Riverbend) -> None:
    """Schools of own rows come before those of sections, and the first of the shared ones is the school."""
    everything = riverbend.roster.everything()
    north, south, west = riverbend.ids("schools", riverbend.north, riverbend.south, riverbend.west)
    cal, yan = riverbend.ids("people", riverbend.cal, riverbend.yan)
    reader = await readers.connect(everything)
    student = (await reader.get(f"/users/{cal}"))["data"]["roles"]["student"]
    assert (student["school"], student["schools"]) == (south, [south, north])
    staff = (await reader.get(f"/users/{yan}"))["data"]["roles"]["staff"]
    assert (staff["schools"], staff["roles"], staff["staff_id"]) == ([south, north], ["Nurse"], "yan")
    reader = await readers.connect(everything | {Kind.SCHOOLS: [riverbend.north]})
    student = (await reader.get(f"/users/{cal}"))["data"]["roles"]["student"]
    assert (student["school"], student["schools"]) == (north, [north])
    reader = await readers.connect(everything | {Kind.SCHOOLS: [riverbend.west]})
    student = (await reader.get(f"/users/{cal}"))["data"]["roles"]["student"]
    assert (student["school"], student["schools"], student["enrollments"]) == (None, [], [])
    assert west


async def test_a_contact_names_shared_students_only(readers: Readers, riverbend: Riverbend) -> None:
    """A contact's relationships are those to shared students."""
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    bea, ann, cal = riverbend.ids("people", riverbend.bea, riverbend.ann, riverbend.cal)
    data = (await reader.get(f"/users/{bea}"))["data"]
    assert data["name"] == {"first": "Bea de", "middle": "", "last": "Árbol"}
    assert data["email"] == "bea@x.org"
    assert data["roles"]["contact"] == {
        "sis_id": None,
        "phone": None,
        "phone_type": None,
        "student_relationships": [
            {"student": ann, "relationship": "Parent", "type": "Primary"},
            {"student": cal, "relationship": "", "type": ""},
        ],
    }
    some = riverbend.roster.everything() | {Kind.STUDENTS: [riverbend.cal]}
    reader = await readers.connect(some, EVERY_FIELD)
    data = (await reader.get(f"/users/{bea}"))["data"]
    assert [item["student"] for item in data["roles"]["contact"]["student_relationships"]] == [cal]
    assert await reader.ids(f"/users/{bea}/mystudents") == [cal]


async def test_nested_paths_follow_shared_relations(readers: Readers, riverbend: Riverbend) -> None:
    """Every nested path lists the related records, and an empty list where it does not fit the role."""
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    r = riverbend
    north, south, west = r.ids("schools", r.north, r.south, r.west)
    ann, ben, cal, tom, una, yan = r.ids("people", r.ann, r.ben, r.cal, r.tom, r.una, r.yan)
    bea = r.id("people", r.bea)
    algebra, art = r.ids("sections", r.algebra, r.art)
    math, arts = r.ids("courses", r.algebra_course, r.art_course)
    [fall] = r.ids("terms", r.fall)
    expected = {
        f"/schools/{north}/courses": [math, arts],
        f"/schools/{north}/sections": [algebra, art],
        f"/schools/{north}/terms": [fall],
        f"/schools/{north}/users": [ann, ben, cal, tom, una, yan, bea],
        f"/schools/{north}/users?role=student": [ann, ben, cal],
        f"/schools/{north}/users?primary=true": [ann, ben, tom],
        f"/schools/{south}/users?primary=true": [cal, una, yan],
        f"/schools/{west}/users": [],
        f"/schools/{south}/sections": [],
        f"/courses/{math}/schools": [north],
        f"/courses/{math}/sections": [algebra],
        f"/terms/{fall}/schools": [north],
        f"/terms/{fall}/sections": [algebra],
        f"/sections/{algebra}/users": [ann, ben, tom, una],
        f"/sections/{algebra}/users?role=teacher": [tom, una],
        f"/users/{ann}/schools": [north],
        f"/users/{cal}/schools": [north, south],
        f"/users/{cal}/schools?primary=true": [south],
        f"/users/{ann}/sections": [algebra],
        f"/users/{una}/sections": [algebra, art],
        f"/users/{yan}/sections": [],
        f"/users/{ann}/myteachers": [tom, una],
        f"/users/{tom}/myteachers": [],
        f"/users/{tom}/mystudents": [ann, ben],
        f"/users/{una}/mystudents": [ann, ben, cal],
        f"/users/{ann}/mystudents": [],
        f"/users/{bea}/mystudents": [ann, cal],
        f"/users/{bea}/schools": [],
        f"/users/{ann}/mycontacts": [bea],
        f"/users/{ben}/mycontacts": [],
        f"/users/{tom}/mycontacts": [],
    }
    found = {path: await reader.ids(path) for path in expected}
    assert found == expected
    for path, one in {"course": math, "school": north, "term": fall}.items():
        assert (await reader.get(f"/sections/{algebra}/{path}"))["data"]["id"] == one
    await reader.get(f"/sections/{art}/term", status=404)
    for path in (f"/schools/{north}", f"/courses/{math}", f"/terms/{fall}", f"/sections/{art}", f"/users/{bea}"):
        assert (await reader.get(f"{path}/district"))["data"]["id"] == str(r.roster.district_id)


async def test_nested_paths_go_through_shared_sections_only(readers: Readers, riverbend: Riverbend) -> None:
    """A relation by way of a section that is not shared is not told, even between shared records.

    Catches nested paths that intersect only their ends with the ledger.
    """
    r = riverbend
    sets = r.roster.everything() | {Kind.SECTIONS: [r.art]}
    reader = await readers.connect(sets)
    north = r.id("schools", r.north)
    ann, una, cal = r.ids("people", r.ann, r.una, r.cal)
    assert await reader.ids(f"/schools/{north}/courses") == r.ids("courses", r.art_course)
    assert await reader.ids(f"/schools/{north}/terms") == []
    assert await reader.ids(f"/courses/{r.id('courses', r.algebra_course)}/schools") == []
    assert await reader.ids(f"/users/{ann}/myteachers") == []
    assert await reader.ids(f"/users/{una}/mystudents") == [cal]


async def test_without_a_document_there_is_no_record(readers: Readers, riverbend: Riverbend) -> None:
    """A shared record without a document is in no list and cannot be fetched; the others still are.

    Catches an answer or a disclosure made of what is shared instead of what was found.
    """
    reader = await readers.connect(riverbend.roster.everything())
    ann, ben = riverbend.ids("people", riverbend.ann, riverbend.ben)
    algebra, art = riverbend.ids("sections", riverbend.algebra, riverbend.art)
    async with readers.by_hand.write() as session:
        await enter_district(session, riverbend.roster.district_id)
        gone = documents.c.id.in_([UUID(ann), UUID(algebra)])
        await session.execute(delete(documents).where(gone, documents.c.district_id == riverbend.roster.district_id))
    assert (await reader.ids("/users"))[0] == ben
    assert await reader.ids("/users?limit=1") == []
    assert await reader.ids("/sections") == [art]
    await reader.get(f"/users/{ann}", status=404)
    await reader.get(f"/sections/{algebra}", status=404)
