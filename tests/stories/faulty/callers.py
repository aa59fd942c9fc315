"""Callers who may not, tokens that cannot be issued, and what the operator asks wrongly."""

from tests.stories.faulty.shape import (
    BLOCK,
    DISTRICT,
    EVERYONE,
    NOTHING,
    NUL,
    SURROGATE,
    UNKNOWN,
    ZEBRA,
    invalid,
    request,
)

FORBIDDEN = tuple(
    request(f"{route} by {caller}", 403, "forbidden", route, caller=caller, body=body)
    for caller, routes in {
        "lead": {
            "GET $D/students": NOTHING,
            "GET $D/audit": NOTHING,
            "GET $D/blocks": NOTHING,
            "GET $A/shared/students": NOTHING,
            "GET $A/shared/students.csv": NOTHING,
            "PUT $A/sharing": DISTRICT,
            "POST $A/sharing/preview": DISTRICT,
            "POST $A/pause": NOTHING,
            "POST $D/syncs": NOTHING,
            "POST $D/blocks": BLOCK,
            "GET /v1/tokens": NOTHING,
            "POST /v1/tokens": {"role": "operator", "label": ZEBRA},
            "GET /v1/districts": NOTHING,
        },
        "operator": {
            "GET $D/students": NOTHING,
            "GET $D/audit": NOTHING,
            "GET $A/sharing": NOTHING,
            "PUT $A/sharing": DISTRICT,
            "PUT $A": NOTHING,
            "GET $A/shared/students.csv": NOTHING,
            "PUT $D/applications/$choir/sites/$north": EVERYONE,
            "POST $D/syncs": NOTHING,
        },
        "application": {
            "GET $D/students": NOTHING,
            "GET $A/shared/students": NOTHING,
            "PUT $A/sharing": DISTRICT,
            "PUT $D/applications/$choir/sites/$north": EVERYONE,
            "GET /v1/districts": NOTHING,
            "POST /v1/tokens": {"role": "operator", "label": ZEBRA},
        },
        "admin": {
            "GET /v1/districts": NOTHING,
            "POST /v1/districts": {"name": ZEBRA},
            "DELETE $D": NOTHING,
            "POST /v1/applications": {"name": ZEBRA},
            "PATCH /v1/applications/$tutor": {"name": ZEBRA},
            "POST /v1/tokens": {"role": "district_admin", "district_id": "$district", "label": ZEBRA},
        },
    }.items()
    for route, body in routes.items()
)
UNAUTHENTICATED = (
    *(
        request(f"{caller} token", 401, "unauthenticated", "GET $D/students", caller=caller)
        for caller in ("nobody", "expired", "revoked", "mistyped")
    ),
    *(
        request(
            f"Authorization {value[:20]}",
            401,
            "unauthenticated",
            "GET $D/students",
            caller="nobody",
            headers={"Authorization": value},
        )
        for value in ("Bearer", "Bearer ", f"Bearer {ZEBRA}", f"Basic {ZEBRA}", ZEBRA, f"Bearer {ZEBRA * 2000}")
    ),
    request("save without a token", 401, "unauthenticated", "PUT $A/sharing", caller="nobody", body=DISTRICT),
)

LEAD = {"role": "school_lead", "district_id": "$district", "label": ZEBRA}
TOKENS = tuple(
    request(name, status, code, "POST /v1/tokens", caller=caller, body=body, where=where)
    for name, caller, status, code, body, where in (
        ("unknown role", "operator", 422, "invalid", {"role": ZEBRA}, "body"),
        ("token without role", "operator", 422, "invalid", {"label": ZEBRA}, "body"),
        ("admin of no district", "operator", 422, "invalid", {"role": "district_admin"}, "body.district_id"),
        (
            "admin of an unknown district",
            "operator",
            404,
            "not_found",
            {"role": "district_admin", "district_id": UNKNOWN},
            None,
        ),
        ("lead of no school", "operator", 422, "invalid", LEAD | {"school_ids": []}, "body.school_ids"),
        (
            "lead of an unknown school",
            "operator",
            422,
            "invalid",
            LEAD | {"school_ids": ["$north", UNKNOWN]},
            "body.school_ids.1",
        ),
        (
            "lead of a foreign school",
            "admin",
            422,
            "invalid",
            LEAD | {"school_ids": ["$their_school"]},
            "body.school_ids.0",
        ),
        (
            "lead of 10,001 schools",
            "admin",
            422,
            "invalid",
            LEAD | {"school_ids": ["$north"] * 10_001},
            "body.school_ids",
        ),
        (
            "lead elsewhere",
            "admin",
            404,
            "not_found",
            LEAD | {"district_id": "$their_district", "school_ids": ["$their_school"]},
            None,
        ),
        ("operator by an admin", "admin", 403, "forbidden", {"role": "operator", "label": ZEBRA}, None),
        (
            "token of an application that is not connected",
            "admin",
            409,
            "not_connected",
            {"role": "application", "district_id": "$district", "application_id": "$stranger", "label": ZEBRA},
            None,
        ),
        (
            "token of an unknown application",
            "admin",
            404,
            "not_found",
            {"role": "application", "district_id": "$district", "application_id": UNKNOWN},
            None,
        ),
        *(
            (
                f"expires_at {moment}",
                "operator",
                422,
                "invalid",
                {"role": "operator", "expires_at": moment},
                "body.expires_at",
            )
            for moment in (
                "2020-01-01T00:00:00Z",
                "2999-01-01T00:00:00",
                "2999-02-30T00:00:00Z",
                ZEBRA,
                "9999-12-31T23:59:59-12:00",
            )
        ),
        ("label of 201 characters", "operator", 422, "invalid", {"role": "operator", "label": "z" * 201}, "body.label"),
        ("label with NUL", "operator", 422, "invalid", {"role": "operator", "label": NUL}, "body.label"),
        ("unknown member of a token", "operator", 422, "invalid", {"role": "operator", ZEBRA: ZEBRA}, "body"),
    )
)
OPERATOR = (
    *(
        invalid(f"district named {name}", "body.name", "POST /v1/districts", {"name": value}, caller="operator")
        for name, value in {
            "nothing": "",
            "in 201": "z" * 201,
            "NUL": NUL,
            "surrogate": SURROGATE,
            "7731": 7731,
        }.items()
    ),
    invalid(
        "district with an unknown member", "body", "POST /v1/districts", {"name": "A", ZEBRA: 1}, caller="operator"
    ),
    *(
        invalid(
            f"application with {name}", where, "POST /v1/applications", {"name": ZEBRA, **members}, caller="operator"
        )
        for name, where, members in (
            ("an unknown group", "body.fields.students.optional.0", {"fields": {"students": {"optional": [ZEBRA]}}}),
            ("an unknown kind", "body.fields", {"fields": {ZEBRA: {}}}),
            ("too many groups", "body.fields.staff.required", {"fields": {"staff": {"required": ["email"] * 10}}}),
            (
                "recommended schools",
                "body.recommended_sharing",
                {"recommended_sharing": {"mode": "schools", "school_ids": [UNKNOWN]}},
            ),
            (
                "recommended sections",
                "body.recommended_sharing",
                {"recommended_sharing": {"mode": "sections", "section_ids": []}},
            ),
            ("an unknown recommendation", "body.recommended_sharing", {"recommended_sharing": {"mode": ZEBRA}}),
        )
    ),
    invalid(
        "application renamed to nothing", "body.name", "PATCH /v1/applications/$tutor", {"name": ""}, caller="operator"
    ),
    invalid(
        "application without fields",
        "body.fields",
        "PATCH /v1/applications/$tutor",
        {"fields": None},
        caller="operator",
    ),
    invalid("unknown member of a change", "body", "PATCH /v1/applications/$tutor", {ZEBRA: ZEBRA}, caller="operator"),
    request("delete a connected application", 409, "connected", "DELETE /v1/applications/$tutor", caller="operator"),
    request("delete an unknown application", 404, "not_found", f"DELETE /v1/applications/{UNKNOWN}", caller="operator"),
    request(
        "change an unknown application",
        404,
        "not_found",
        f"PATCH /v1/applications/{UNKNOWN}",
        caller="operator",
        body={"name": ZEBRA},
    ),
    request("erase an unknown district", 404, "not_found", f"DELETE /v1/districts/{UNKNOWN}", caller="operator"),
    request("revoke an unknown token", 404, "not_found", f"DELETE /v1/tokens/{UNKNOWN}", caller="operator"),
    request("revoke another district's token", 404, "not_found", "DELETE /v1/tokens/$their_token"),
    request("revoke a token by another name", 404, "not_found", f"DELETE /v1/tokens/{ZEBRA}", caller="operator"),
)
REPEATS = (
    *(
        request(
            f"key of another {name}",
            422,
            "idempotency_key_reused",
            f"POST /v1/{path}",
            caller="operator",
            body={"name": "B"},
            headers={"Idempotency-Key": f"{ZEBRA}-$run"},
        )
        for name, path in {"body": "districts", "path": "applications", "query": f"districts?{ZEBRA}"}.items()
    ),
    request(
        "key of a secret that was shown",
        409,
        "already_issued",
        "POST /v1/tokens",
        caller="operator",
        body={"role": "operator", "label": ZEBRA},
        headers={"Idempotency-Key": f"{ZEBRA}-secret-$run"},
    ),
    *(
        invalid(
            f"key of {name}",
            "header.idempotency-key",
            "POST /v1/districts",
            {"name": ZEBRA},
            caller="operator",
            headers={"Idempotency-Key": key},
        )
        for name, key in {"nothing": "", "201 characters": "z" * 201, "a tab": f"{ZEBRA}\t{ZEBRA}"}.items()
    ),
)
LEAKS = (
    *(
        invalid(f"report of {name}", where, "POST /v1/leaked-tokens", body, caller="nobody")
        for name, where, body in (
            ("a text", "body", ZEBRA),
            ("nothing", "body.tokens", {}),
            ("an unknown member", "body", {"tokens": [], ZEBRA: ZEBRA}),
            ("no texts", "body.tokens", {"tokens": ZEBRA}),
            ("101 texts", "body.tokens", [{"token": ZEBRA}] * 101),
            ("a list of texts", "body.tokens.0", [ZEBRA]),
            ("an empty text", "body.tokens.1.token", {"tokens": [{"token": ZEBRA}, {"token": ""}]}),
            ("a text with NUL", "body.tokens.0.token", [{"token": NUL}]),
            ("a number", "body.tokens.0.token", [{"token": 7731}]),
            ("a place that is none", "body.tokens.0.url", [{"token": ZEBRA, "url": 7731}]),
        )
    ),
)
ROTATIONS = (
    *(
        invalid(f"rotation with {name}", f"body.{name}", f"POST /v1/tokens/{UNKNOWN}/rotate", {name: value})
        for name, value in (("overlap_seconds", ZEBRA), ("expires_at", ZEBRA))
    ),
    invalid("rotation with an unknown member", "body", f"POST /v1/tokens/{UNKNOWN}/rotate", {ZEBRA: ZEBRA}),
    request("rotate an unknown token", 404, "not_found", f"POST /v1/tokens/{UNKNOWN}/rotate", caller="operator"),
    request("rotate another district's token", 404, "not_found", "POST /v1/tokens/$their_token/rotate"),
    request("rotate a token by another name", 404, "not_found", f"POST /v1/tokens/{ZEBRA}/rotate", caller="operator"),
)
