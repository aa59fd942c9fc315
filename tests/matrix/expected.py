"""The access matrix as it should be: each operation of the service, and what it answers to whom about which object.

A cell is a status for whatever object, or one for each of the caller's own, a sibling (of the same district, but not
the caller's or not shared with it), a foreign one (another district's; of what belongs to no district, one that is
gone) and an absent one: `+/+/404/404`. `+` is the status that the operation has when all is well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

OBJECTS: Final = ("own", "sibling", "foreign", "absent")
VERSIONS: Final = ("v3.0", "v3.1")
KINDS: Final = ("schools", "sections", "students", "teachers", "staff")
BROWSED: Final = (*KINDS, "courses", "terms")

ROWS: Final = """
row               unknown operator    admin           stranger        lead            otherlead       auditor app             other           elsewhere       suspended
open              +       +           +               +               +               +               +       +               +               +               +
operator          401     +           403             403             403             403             403     403             403             403             403
operator.one      401     +/+/404/404 403             403             403             403             403     403             403             403             403
operator.only     401     +/404/404/404 403           403             403             403             403     403             403             403             403
issuer            401     +           +               +               403             403             403     403             403             403             403
issuer.one        401     +/+/+/404   +/+/404/404     404/404/+/404   403             403             403     403             403             403             403
issuer.admins     401     +/+/+/404   403/403/404/404 404/404/403/404 403             403             403     403             403             403             403
issuer.district   401     +/+/404/404 +/404/404/404   404/+/404/404   403             403             403     403             403             403             403
issuer.school     401     +/+/422/422 +/+/422/422     404             403             403             403     403             403             403             403
issuer.connected  401     +/+/409/404 +/+/409/404     404             403             403             403     403             403             403             403
admin             401     403         +               404             403             403             403     403             403             403             403
admin.one         401     403         +/+/404/404     404             403             403             403     403             403             403             403
admin.named       401     403         +/+/422/422     404             403             403             403     403             403             403             403
admin.connect     401     403         +/+/201/404     404             403             403             403     403             403             403             403
admin.held        401     403         +/409/404/404   404             403             403             403     403             403             403             403
trail             401     403         +               404             403             403             +       403             403             403             403
staff.one         401     403         +/+/404/404     404             +/+/404/404     +/+/404/404     403     403             403             403             403
site              401     403         +/+/404/404     404             +/403/403/403   403/+/403/403   403     403             403             403             403
site.application  401     403         +/+/404/404     404             +/+/404/404     403             403     403             403             403             403
site.section      401     403         +/422/422/422   404             +/422/422/422   403             403     403             403             403             403
partner           401     403         403             403             403             403             403     +               +               +               423
partner.one       401     403         403             403             403             403             403     +/404/404/404   404/+/404/404   404/404/+/404   423
partner.district  401     403         403             403             403             403             403     +/404/404/404   +/404/404/404   404/+/404/404   423
client            401     401         401             401             401             401             401     +               +               +               +
client.district   401     401         401             401             401             401             401     +/+/400/400     +/400/400/400   +/+/400/400     +/400/400/400
"""  # noqa: E501 - a table
"""`unknown` stands for whoever brings nothing that works. `stranger` is another district's admin, `lead` leads the own
school and `otherlead` the sibling; `app` is the application, `other` one of the same district with which the siblings
are shared, `elsewhere` the application in the other district, and `suspended` one whose grant is paused. Before OAuth
an application stands with its client secret, and its districts are the own one and the sibling."""

# What follows `#` tells variants of a body or path apart. An application is known to every district, as are districts
# to the operator: there a foreign one is answered as what it is.
OPERATIONS: Final = """
GET     /.well-known/security.txt                                             -               open              200
GET     /health/live                                                          -               open              200
GET     /health/ready                                                         -               open              200
GET     /metrics                                                              -               open              200
GET     /openapi.json                                                         -               open              200
HEAD    /openapi.json                                                         -               open              200
POST    /oauth/token                                                          district_id     client.district   200
GET     /oauth/tokens                                                         -               client            200
POST    /v1/districts                                                         -               operator          201
GET     /v1/districts                                                         -               operator          200
GET     /v1/districts/{district_id}                                           district_id     operator.one      200
DELETE  /v1/districts/{district_id}                                           district_id     operator.one      202
POST    /v1/applications                                                      -               operator          201
GET     /v1/applications                                                      -               operator          200
GET     /v1/applications/{application_id}                                     application_id  operator.one      200
PATCH   /v1/applications/{application_id}                                     application_id  operator.one      200
DELETE  /v1/applications/{application_id}#free                                application_id  operator.one      204
POST    /v1/applications/{application_id}/secrets#free                        application_id  operator.one      201
GET     /v1/applications/{application_id}/secrets                             application_id  operator.one      200
DELETE  /v1/applications/{application_id}/secrets/{secret_id}                 secret_id       operator.one      204
DELETE  /v1/applications/{application_id}/secrets/{secret_id}                 application_id  operator.only     204
POST    /v1/tokens#operator                                                   -               operator          201
POST    /v1/tokens#district_admin                                             district_id     operator.one      201
POST    /v1/tokens#school_lead                                                district_id     issuer.district   201
POST    /v1/tokens#school_lead                                                school_id       issuer.school     201
POST    /v1/tokens#audit_reader                                               district_id     issuer.district   201
POST    /v1/tokens#application                                                district_id     issuer.district   201
POST    /v1/tokens#application                                                application_id  issuer.connected  201
GET     /v1/tokens                                                            -               issuer            200
DELETE  /v1/tokens/{token_id}                                                 token_id        issuer.one        204
POST    /v1/tokens/{token_id}/rotate                                          token_id        issuer.admins     201
POST    /v1/tokens/{token_id}/rotate#auditors                                 token_id        issuer.one        201
POST    /v1/leaked-tokens                                                     -               open              202
GET     D/applications/{application_id}/sites                                 application_id  staff.one         200
PUT     D/applications/{application_id}/sites/{school_id}                     application_id  site.application  200
PUT     D/applications/{application_id}/sites/{school_id}                     school_id       site              200
PUT     D/applications/{application_id}/sites/{school_id}#sections            section_id      site.section      200
GET     D/audit                                                               -               trail             200
POST    D/syncs                                                               -               admin             202
GET     D/syncs                                                               -               admin             200
GET     D/syncs/{sync_id}                                                     sync_id         admin.one         200
POST    D/syncs/{sync_id}/release                                             sync_id         admin.held        202
POST    D/syncs/{sync_id}/discard                                             sync_id         admin.held        200
GET     D/applications                                                        -               admin             200
GET     D/applications/{application_id}                                       application_id  admin.one         200
PUT     D/applications/{application_id}                                       application_id  admin.connect     200
DELETE  D/applications/{application_id}                                       application_id  admin.one         204
POST    D/applications/{application_id}/pause                                 application_id  admin.one         200
POST    D/applications/{application_id}/resume                                application_id  admin.one         200
GET     D/applications/{application_id}/fields                                application_id  admin.one         200
PUT     D/applications/{application_id}/fields                                application_id  admin.one         200
GET     D/applications/{application_id}/sharing                               application_id  admin.one         200
PUT     D/applications/{application_id}/sharing                               application_id  admin.one         200
PUT     D/applications/{application_id}/sharing#schools                       school_id       admin.named       200
PUT     D/applications/{application_id}/sharing#sections                      section_id      admin.named       200
DELETE  D/applications/{application_id}/sharing                               application_id  admin.one         200
POST    D/applications/{application_id}/sharing/preview                       application_id  admin.one         200
POST    D/applications/{application_id}/sharing/preview#schools               school_id       admin.named       200
POST    D/applications/{application_id}/sharing/preview#sections              section_id      admin.named       200
GET     D/applications/{application_id}/sharing/history                       application_id  admin.one         200
POST    D/applications/{application_id}/sharing/history/{version}/restore     application_id  admin.one         200
POST    D/applications/{application_id}/sharing/history/{version}/restore     version         admin.one         200
GET     D/applications/{application_id}/shared                                application_id  admin.one         200
GET     D/applications/{application_id}/shared/{counted}                      application_id  admin.one         200
GET     D/applications/{application_id}/shared/{counted}.csv                  application_id  admin.one         200
GET     D/blocks                                                              -               admin             200
POST    D/blocks                                                              student_id      admin.named       201
POST    D/blocks#teachers                                                     teacher_id      admin.named       201
POST    D/blocks#staff                                                        staff_id        admin.named       201
DELETE  D/blocks/{block_id}                                                   block_id        admin.one         204
GET     D/{browsed}                                                           -               admin             200
GET     D/{browsed}/{record_id}                                               record_id       admin.one         200
GET     D/{kind}#unknown                                                      -               admin             404
GET     D/{kind}/{record_id}#unknown                                          record_id       admin             404
GET     D/applications/{application_id}/shared/{kind}#unknown                 application_id  admin             404
GET     D/applications/{application_id}/shared/{kind}.csv#unknown             application_id  admin             404
GET     V/events                                                              -               partner           200
GET     V/events/{id}                                                         id              partner.one       200
GET     V/me                                                                  -               partner           200
GET     V/districts                                                           -               partner           200
GET     V/districts/{id}                                                      id              partner.district  200
GET     V/schools                                                             -               partner           200
GET     V/schools/{id}                                                        id              partner.one       200
GET     V/schools/{id}/courses                                                id              partner.one       200
GET     V/schools/{id}/district                                               id              partner.one       200
GET     V/schools/{id}/sections                                               id              partner.one       200
GET     V/schools/{id}/terms                                                  id              partner.one       200
GET     V/schools/{id}/users                                                  id              partner.one       200
GET     V/terms                                                               -               partner           200
GET     V/terms/{id}                                                          id              partner.one       200
GET     V/terms/{id}/district                                                 id              partner.one       200
GET     V/terms/{id}/schools                                                  id              partner.one       200
GET     V/terms/{id}/sections                                                 id              partner.one       200
GET     V/courses                                                             -               partner           200
GET     V/courses/{id}                                                        id              partner.one       200
GET     V/courses/{id}/district                                               id              partner.one       200
GET     V/courses/{id}/schools                                                id              partner.one       200
GET     V/courses/{id}/sections                                               id              partner.one       200
GET     V/sections                                                            -               partner           200
GET     V/sections/{id}                                                       id              partner.one       200
GET     V/sections/{id}/course                                                id              partner.one       200
GET     V/sections/{id}/district                                              id              partner.one       200
GET     V/sections/{id}/school                                                id              partner.one       200
GET     V/sections/{id}/term                                                  id              partner.one       200
GET     V/sections/{id}/users                                                 id              partner.one       200
GET     V/users                                                               -               partner           200
GET     V/users/{id}                                                          id              partner.one       200
GET     V/users/{id}#teachers                                                 id              partner.one       200
GET     V/users/{id}#staff                                                    id              partner.one       200
GET     V/users/{id}#contacts                                                 id              partner.one       200
GET     V/users/{id}/district                                                 id              partner.one       200
GET     V/users/{id}/mycontacts                                               id              partner.one       200
GET     V/users/{id}/mystudents#teachers                                      id              partner.one       200
GET     V/users/{id}/myteachers                                               id              partner.one       200
GET     V/users/{id}/schools                                                  id              partner.one       200
GET     V/users/{id}/sections                                                 id              partner.one       200
"""
"""Method, path (`D` begins a district's, `V` a version's), the object that varies, the row, the status if all is well.

Every path of a version answers HEAD as it answers GET; whatever else a path does not have is answered 405."""

DISTRICT: Final = "/v1/districts/{district_id}"


@dataclass(frozen=True)
class Line:
    """One operation with one object that varies, and the statuses by caller and object."""

    method: str
    path: str
    """The template, as the application has it."""
    variant: str
    varied: str | None
    cells: dict[str, dict[str, int]]
    kind: str = ""
    """What stands in place of `{kind}`; a word that is none of the kinds if it is empty."""

    def __str__(self) -> str:
        path = self.path.replace("{kind}", self.kind) + (f"#{self.variant}" if self.variant else "")
        return f"{self.method} {path}" + (f" by {self.varied}" if self.varied else "")


def lines() -> Iterator[Line]:
    """The whole matrix."""
    rows = _rows()
    for method, path, varied, row, success in (line.split() for line in OPERATIONS.splitlines() if line):
        template, _, variant = path.partition("#")
        cells = {caller: _statuses(cell, success) for caller, cell in rows[row].items()}
        for whole, kind in _expanded(template):
            yield Line(method, whole, variant, None if varied == "-" else varied, cells, kind)


def _rows() -> dict[str, dict[str, str]]:
    head, *rows = (line.split() for line in ROWS.splitlines() if line)
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def _statuses(cell: str, success: str) -> dict[str, int]:
    statuses = cell.replace("+", success).split("/")
    return dict(zip(OBJECTS, map(int, statuses * 4 if len(statuses) == 1 else statuses), strict=True))


def _expanded(template: str) -> Iterator[tuple[str, str]]:
    """The path in each version, and of lists of a kind each kind."""
    start, _, rest = template.partition("/")
    begun = {"D": (DISTRICT,), "V": tuple(f"/{version}" for version in VERSIONS)}.get(start, (start,))
    named = "counted" if "{counted}" in rest else "browsed"
    kinds = {"counted": KINDS, "browsed": BROWSED}[named] if f"{{{named}}}" in rest else ("",)
    for beginning, kind in product(begun, kinds):
        yield f"{beginning}/{rest}".replace(f"{{{named}}}", "{kind}"), kind
