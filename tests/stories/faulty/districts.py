"""Paths, queries, blocks and site selections of a district that are not right."""

import base64
from typing import Any

from tests.stories.faulty.shape import (
    BLOCK,
    DISTRICT,
    EVERYONE,
    NUL,
    SURROGATE,
    UNKNOWN,
    ZEBRA,
    FaultyRequest,
    condition,
    invalid,
    request,
    rule,
)


def choosing(name: str, where: str, body: Any, **more: Any) -> FaultyRequest:
    """A site selection that cannot be saved."""
    return invalid(name, where, "PUT $D/applications/$choir/sites/$north", body, **more)


def cursor(position: str) -> str:
    """A cursor in the form of the service's own, of any content."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


PATHS = (
    *(
        request(f"sharing of {name}", 404, "not_found", f"PUT $D/applications/{spelled}/sharing", body=DISTRICT)
        for name, spelled in {
            "an application in capitals": "$tutor_capitals",
            "an application in braces": "{$tutor}",
            "an application as URN": "urn:uuid:$tutor",
            "an application without hyphens": "$tutor_hex",
            "an application that is not connected": "$stranger",
            "an unknown application": UNKNOWN,
            "no id at all": ZEBRA,
            "NUL": "%00",
            "a surrogate": "%ed%a0%80",
            "a very long id": ZEBRA * 1000,
        }.items()
    ),
    request("district in capitals", 404, "not_found", "GET /v1/districts/$district_capitals/students"),
    request("unknown district", 404, "not_found", f"GET /v1/districts/{UNKNOWN}/students"),
    request("another district", 404, "not_found", "GET /v1/districts/$their_district/students"),
    request("own district, another admin", 404, "not_found", "GET $D/students", caller="foreigner"),
    request("save by another admin", 404, "not_found", "PUT $A/sharing", caller="foreigner", body=DISTRICT),
    request("student in capitals", 404, "not_found", "GET $D/students/$ann_capitals"),
    request("student of another district", 404, "not_found", "GET $D/students/$their_ann"),
    request("student as teacher", 404, "not_found", "GET $D/teachers/$ann"),
    request("unknown student", 404, "not_found", f"GET $D/students/{UNKNOWN}"),
    request("unknown kind", 404, "not_found", f"GET $D/{ZEBRA}"),
    request("contacts are not browsed", 404, "not_found", "GET $D/contacts"),
    request("kind with NUL", 404, "not_found", "GET $D/students%00"),
    request("kind in capitals", 404, "not_found", "GET $D/Students"),
    request("unknown kind shared", 404, "not_found", f"GET $A/shared/{ZEBRA}"),
    request("unknown kind as CSV", 404, "not_found", f"GET $A/shared/{ZEBRA}.csv"),
    request("courses as CSV", 404, "not_found", "GET $A/shared/courses.csv"),
    request("path that ends in a slash", 404, "not_found", "GET $D/students/"),
    request("path with two slashes", 404, "not_found", "GET $D//students"),
    request("unknown path", 404, "not_found", f"GET /{ZEBRA}"),
    request("unknown sync", 404, "not_found", f"GET $D/syncs/{UNKNOWN}"),
    request("sync of another district", 404, "not_found", "GET $D/syncs/$their_sync"),
    request("unknown path below an application", 404, "not_found", f"GET $A/{ZEBRA}"),
    request("connect an unknown application", 404, "not_found", f"PUT $D/applications/{UNKNOWN}"),
    request("disconnect what is not connected", 404, "not_found", "DELETE $D/applications/$stranger"),
    request("pause what is not connected", 404, "not_found", "POST $D/applications/$stranger/pause"),
    request("take an unknown block away", 404, "not_found", f"DELETE $D/blocks/{UNKNOWN}"),
    request("take another district's block away", 404, "not_found", "DELETE $D/blocks/$their_block"),
    *(
        request(f"{route} is no method", 405, "method_not_allowed", route)
        for route in (
            "POST $D/students",
            "DELETE $D/audit",
            "PATCH $A/sharing",
            "GET $A/sharing/preview",
            "PUT $D/blocks",
            "GET $A/pause",
            "PUT /v1/districts",
            "BREW /v1/tokens",
        )
    ),
)

QUERIES = (
    *(
        invalid(f"limit={text[:20]}", "query.limit", f"GET $D/students?limit={text}")
        for text in ("0", "-1", "1001", "abc", "", "1.5", "9" * 5000, ZEBRA, "%00")
    ),
    *(
        invalid(f"after={name}", None, f"GET $D/students?after={text}")
        for name, text in {
            "no cursor": ZEBRA,
            "empty": "",
            "NUL": "%00",
            "not ASCII": "%C3%A9",
            "a number": cursor("7731"),
            "a list": cursor(f'["{ZEBRA}"]'),
            "a text": cursor(f'"{ZEBRA}"'),
            "a truth": cursor("true"),
            "very deep": cursor("[" * 5000),
            "not JSON": cursor("{"),
        }.items()
    ),
    *(
        invalid(f"after={name}, of the history", None, f"GET $A/sharing/history?after={text}")
        for name, text in {
            "a text": cursor(f'"{ZEBRA}"'),
            "a large number": cursor("2147483648"),
            "a negative number": cursor("-1"),
            "a number of 5,000 digits": cursor("9" * 5000),
        }.items()
    ),
    invalid("after a number, of the trail", None, f"GET $D/audit?after={cursor('7731')}"),
    invalid("after a number, of the blocks", None, f"GET $D/blocks?after={cursor('7731')}"),
    invalid("after a number, of the syncs", None, f"GET $D/syncs?after={cursor('7731')}"),
    invalid("after a text, of the shared", None, f"GET $A/shared/students?after={ZEBRA}"),
    invalid("search with NUL", "query.q", f"GET $D/students?q={ZEBRA}%00"),
    invalid("search of 201 characters", "query.q", "GET $D/students?q=" + "z" * 201),
    invalid("search in a case that is no truth", "query.case_sensitive", f"GET $D/students?q=a&case_sensitive={ZEBRA}"),
)

BLOCKS = (
    *(
        invalid(name, where, "POST $D/blocks", {**BLOCK, **change}, listed=listed)
        for name, where, change, listed in (
            ("block of an unknown kind", "body.kind", {"kind": ZEBRA}, {}),
            ("block of a section", "body.kind", {"kind": "sections", "record_id": "$algebra"}, {}),
            ("block of an unknown person", "body.record_id", {"record_id": UNKNOWN}, {"unknown_ids": (UNKNOWN,)}),
            ("block of a foreigner", "body.record_id", {"record_id": "$their_ann"}, {"unknown_ids": ("$their_ann",)}),
            ("block of a student as teacher", "body.record_id", {"kind": "teachers"}, {"unknown_ids": ("$cal",)}),
            ("block of no id", "body.record_id", {"record_id": ZEBRA}, {}),
            ("block for an unknown application", "body.application_id", {"application_id": UNKNOWN}, {}),
            ("block without a reason", "body.reason", {"reason": ""}, {}),
            ("block for 501 characters", "body.reason", {"reason": "z" * 501}, {}),
            ("block with NUL", "body.reason", {"reason": NUL}, {}),
            ("block with a surrogate", "body.reason", {"reason": SURROGATE}, {}),
            ("block with an unknown member", "body", {ZEBRA: ZEBRA}, {}),
        )
    ),
    request("block twice", 409, "already_blocked", "POST $D/blocks", body=BLOCK | {"record_id": "$blocked"}),
    invalid("block of nothing", "body.kind", "POST $D/blocks", {}),
)

SITES = (
    choosing("selection without share", "body", {"include_staff": True}),
    choosing("unknown selection", "body", {"share": ZEBRA}),
    choosing("selection with mode", "body", EVERYONE | {"mode": "district"}),
    choosing("selection of 51 rules", "body.rules", {"share": "rules", "rules": [rule()] * 51}),
    choosing(
        "selection by a faulty rule", "body.rules.0", {"share": "rules", "rules": [rule(condition(field="zebra"))]}
    ),
    choosing("selection of 100,001", "body.section_ids", {"share": "sections", "section_ids": ["$lab"] * 100_001}),
    choosing(
        "sections of another school",
        "body.section_ids.1",
        {"share": "sections", "section_ids": ["$algebra", "$art"]},
        listed={"foreign_ids": ("$art",)},
    ),
    choosing(
        "sections of another district",
        "body.section_ids.0",
        {"share": "sections", "section_ids": ["$their_section", UNKNOWN]},
        listed={"unknown_ids": ("$their_section", UNKNOWN)},
    ),
    request(
        "selection of an unknown school", 404, "not_found", f"PUT $D/applications/$choir/sites/{UNKNOWN}", body=EVERYONE
    ),
    request(
        "selection of another district's school",
        404,
        "not_found",
        "PUT $D/applications/$choir/sites/$their_school",
        body=EVERYONE,
    ),
    request(
        "selection for what is not connected",
        404,
        "not_found",
        "PUT $D/applications/$stranger/sites/$north",
        body=EVERYONE,
    ),
    request(
        "lead of another school",
        403,
        "forbidden",
        "PUT $D/applications/$choir/sites/$south",
        caller="lead",
        body=EVERYONE,
    ),
    request(
        "lead while the mode is another",
        409,
        "not_school_site",
        "PUT $A/sites/$north",
        caller="lead",
        body=EVERYONE,
    ),
    request(
        "lead in another district",
        404,
        "not_found",
        "GET /v1/districts/$their_district/applications/$choir/sites",
        caller="lead",
    ),
)


def declining(name: str, where: str, body: Any) -> FaultyRequest:
    """A faulty choice of the field groups of the tutor, which requires all of them."""
    return invalid(name, where, "PUT $A/fields", body)


FIELDS = (
    declining("declined group that is required", "body.declined", {"declined": ["students.ext"]}),
    declining("declined identity", "body.declined.0", {"declined": ["identity"]}),
    declining("declined unknown group", "body.declined.1", {"declined": ["ext", ZEBRA]}),
    declining("declined group of another kind", "body.declined.0", {"declined": ["schools.email"]}),
    declining("declined groups as a text", "body.declined", {"declined": "ext"}),
    declining("declined groups beyond number", "body.declined", {"declined": ["ext"] * 100}),
    declining("choice of fields without any", "body.declined", {}),
    declining("choice of fields with an unknown member", "body", {"declined": [], ZEBRA: []}),
    declining("acceptance that is no truth", "body.accept", {"declined": [], "accept": ZEBRA}),
    request(
        "choice of fields after another",
        412,
        "version_changed",
        "PUT $A/fields",
        body={"declined": []},
        headers={"If-Match": '"0"'},
    ),
    request(
        "fields of what is not connected",
        404,
        "not_found",
        "PUT $D/applications/$stranger/fields",
        body={"declined": []},
    ),
    *(
        request(f"fields by {caller}", 403, "forbidden", "PUT $A/fields", caller=caller, body={"declined": []})
        for caller in ("lead", "operator", "application")
    ),
)
