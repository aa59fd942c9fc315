"""The rows of schools, their adults, their sections and enrollments, as the upload has them."""

from sharing_service.generator.files import Row
from sharing_service.generator.grades import grade_name
from sharing_service.generator.places import STATE
from sharing_service.generator.schools import GRADES, School
from sharing_service.generator.staffing import Adult
from sharing_service.generator.timetable import Section


def school_row(school: School, *, principal: Adult) -> Row:
    """The row of a school."""
    grades = GRADES[school.level]
    return {
        "School_id": school.id,
        "School_name": school.name,
        "School_number": f"{school.index:04}",
        "State_id": f"{school.index * 37 % 100_000:05}",
        "Nces_id": f"0899990{school.index:05}",
        "Low_grade": grade_name(grades[0]),
        "High_grade": grade_name(grades[-1]),
        "Principal": principal.name.full,
        "Principal_email": principal.email,
        "School_address": school.address.street,
        "School_city": school.address.city,
        "School_state": STATE,
        "School_zip": school.address.zip,
        "School_phone": school.phone,
    }


def teacher_row(school: School, teacher: Adult) -> Row:
    """The row of a teacher at one of the teacher's schools."""
    return {
        "School_id": school.id,
        "Teacher_id": teacher.teacher_id,
        "Teacher_number": str(teacher.number),
        "State_teacher_id": f"{teacher.number * 7_331 % 10**9:09}",
        "Last_name": teacher.name.last.text,
        "Middle_name": teacher.name.middle,
        "First_name": teacher.name.first.text,
        "Teacher_email": teacher.email,
        "Title": teacher.title,
        "Username": teacher.login,
    }


def staff_row(school: School, person: Adult) -> Row:
    """The row of a member of staff at one of the person's schools."""
    return {
        "School_id": school.id,
        "Staff_id": person.staff_id,
        "Staff_email": person.email,
        "First_name": person.name.first.text,
        "Last_name": person.name.last.text,
        "Department": person.department,
        "Title": person.title,
        "Username": person.login,
        "Role": person.role,
    }


def section_row(section: Section) -> Row:
    """The row of a section."""
    first, second, *_ = (*section.teachers, "")
    return {
        "School_id": section.school.id,
        "Section_id": section.id,
        "Teacher_id": first,
        "Teacher_2_id": second,
        **section_names(section.course.name, section.course.number, section.of_course),
        "Grade": grade_name(section.grade),
        "Course_name": section.course.name,
        "Course_number": section.course.number,
        "Period": section.period,
        "Subject": section.course.subject,
        "Term_name": section.term.name,
        "Term_start": section.term.start,
        "Term_end": section.term.end,
        "ext.house": section.house,
    }


def section_names(course_name: str, course_number: str, of_course: int) -> dict[str, str]:
    """What a section is called, counted over the sections of the same course at the school."""
    return {"Name": f"{course_name} {of_course:02}", "Section_number": f"{course_number}-{of_course:02}"}


def enrollment_row(section: Section, student_id: str) -> Row:
    """The row of a student in a section."""
    return {"School_id": section.school.id, "Section_id": section.id, "Student_id": student_id}
