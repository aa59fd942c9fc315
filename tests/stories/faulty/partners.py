"""Requests of applications that the partner API refuses in its own words."""

from tests.stories.faulty.shape import UNKNOWN, ZEBRA, request

LIMIT, AT_MOST = "`limit` is a number from 1 to 10000.", "`limit` is at most 10000."
ONE_CURSOR = "Send either `starting_after` or `ending_before`."
A_ROLE = "`role` is one of student, teacher, staff, contact, district_admin."
ABSENT = "Resource not found"
PARTNER = tuple(
    request(f"partner: {name}", status, message, route, caller="application")
    for name, status, message, route in (
        *(
            (f"limit={text[:20]}", 400, LIMIT, f"GET /v3.1/users?limit={text}")
            for text in ("0", "00", "-1", "", "abc", "1.5", "%D9%A1", ZEBRA)
        ),
        *((f"limit={text[:20]}", 413, AT_MOST, f"GET /v3.0/users?limit={text}") for text in ("10001", "9" * 5000)),
        ("both cursors", 400, ONE_CURSOR, f"GET /v3.1/sections?starting_after={UNKNOWN}&ending_before={UNKNOWN}"),
        *(
            (f"{cursor}={text}", 400, f"`{cursor}` is the id of a record.", f"GET /v3.1/users?{cursor}={text}")
            for cursor in ("starting_after", "ending_before")
            for text in ("", ZEBRA, "$ann_capitals", "{$ann}", "%00", "%ed%a0%80")
        ),
        *((f"role={text}", 400, A_ROLE, f"GET /v3.1/users?role={text}") for text in ("", "Student", "students", ZEBRA)),
        ("role in a section", 400, A_ROLE, f"GET /v3.1/sections/$algebra/users?role={ZEBRA}"),
        *(
            (f"/{path}", 404, ABSENT, f"GET /v3.1/{path}")
            for path in (
                f"users/{UNKNOWN}",
                f"users/{ZEBRA}",
                "users/$ann_capitals",
                "users/{$ann}",
                "users/urn:uuid:$ann",
                "users/%00",
                "users/$their_ann",
                "users/$algebra",
                "sections/$ann",
                f"sections/{UNKNOWN}/users",
                "schools/$their_school",
                "schools/$their_school/sections",
                "districts/$their_district",
                f"districts/{ZEBRA}",
                "users/$blocked",
                "users/$blocked/sections",
            )
        ),
        *(
            (f"/{path}", 404, "Not Found.", f"GET /v3.1/{path}")
            for path in (ZEBRA, "", "users/", f"users/$ann/{ZEBRA}", "sections/$algebra/terms", "schools/$north/school")
        ),
        ("v3.2", 404, "Not Found.", "GET /v3.2/users"),
        *(
            (f"{route} is no method", 405, "Method Not Allowed.", route)
            for route in ("POST /v3.1/users", "DELETE /v3.0/users/$ann")
        ),
    )
)
NO_TOKEN = "Send a valid token as `Authorization: Bearer TOKEN`."
PARTNER_CALLERS = (
    *(
        request(f"partner: {caller} token", 401, NO_TOKEN, "GET /v3.1/users", caller=caller)
        for caller in ("nobody", "expired", "revoked", "mistyped")
    ),
    *(
        request(f"partner: {caller}", 403, "Only an application's token reads here.", "GET /v3.1/users", caller=caller)
        for caller in ("admin", "lead", "operator")
    ),
    *(
        request(
            f"partner: paused, {path}",
            423,
            "The district has paused sharing with this application. Keep what you have.",
            f"GET /v3.1/{path}",
            caller="paused",
        )
        for path in ("users", "users/$ann", f"users/{UNKNOWN}", "sections/$algebra/users", "districts")
    ),
)
