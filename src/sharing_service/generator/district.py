"""A whole district as the files of an upload, written school by school: memory does not grow with the district."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from sharing_service.generator.files import File, Row, Writer
from sharing_service.generator.households import Student, families
from sharing_service.generator.rows import enrollment_row, school_row, section_row, staff_row, teacher_row
from sharing_service.generator.schools import Cluster, Level, clusters
from sharing_service.generator.staffing import Adult, staff_of, teachers_of, visitor_among
from sharing_service.generator.students import student_rows
from sharing_service.generator.timetable import sections_of


def write_district(directory: Path, *, students: int, seed: int = 1) -> None:
    """Write the six files of a realistic district of so many students, the same bytes for the same size and seed."""
    with Writer(directory) as files:
        for file, row in district_rows(students=students, seed=seed):
            files.write(file, row)


def district_rows(*, students: int, seed: int = 1) -> Iterator[tuple[File, Row]]:
    """Every row of a district with the file that it belongs to; within each file in the order of that file."""
    if students < 1:
        raise ValueError("A district has at least one student.")
    for cluster in clusters(students, seed):
        yield from _cluster_rows(cluster, seed)


def _cluster_rows(cluster: Cluster, seed: int) -> Iterator[tuple[File, Row]]:
    home: defaultdict[int, list[Student]] = defaultdict(list)
    visitors: defaultdict[int, list[Student]] = defaultdict(list)
    for rng, household, children in families(cluster, seed):
        for student in children:
            home[student.school.index].append(student)
            if student.visit:
                visitors[student.visit.school.index].append(student)
            for row in student_rows(rng, household, student):
                yield File.STUDENTS, row
    visiting: Adult | None = None
    for place, school in enumerate(cluster.schools):
        students = home[school.index]
        yield from _school_and_staff_rows(cluster, place, seed, students=len(students))
        rng = random.Random(f"{seed}:timetable:{school.index}")
        sections = sections_of(rng, school, students, visitors[school.index])
        teachers = teachers_of(rng, seed, school, students=len(students), sections=sections, visiting=visiting)
        for teacher in teachers:
            yield File.TEACHERS, teacher_row(school, teacher)
        for section in sections:
            yield File.SECTIONS, section_row(section)
            for student_id in section.students:
                yield File.ENROLLMENTS, enrollment_row(section, student_id)
        visiting = visitor_among(rng, teachers) if school.level is Level.ELEMENTARY else None


def _school_and_staff_rows(cluster: Cluster, place: int, seed: int, *, students: int) -> Iterator[tuple[File, Row]]:
    school, neighbours = cluster.schools[place], cluster.schools[place + 1 : place + 2]
    # Every other school is served by the one before it.
    staff = list(staff_of(seed, school, students=students, neighbours=neighbours, served=place % 2 == 1))
    yield File.SCHOOLS, school_row(school, principal=staff[0][0])
    for person, schools in staff:
        for at in schools:
            yield File.STAFF, staff_row(at, person)
