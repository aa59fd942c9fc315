"""Sharing permissions that cannot be saved, and saves that meet another version."""

from dataclasses import replace
from typing import Any

from tests.stories.faulty.shape import (
    DISTRICT,
    JSON,
    NOTHING,
    NUL,
    SURROGATE,
    UNKNOWN,
    ZEBRA,
    FaultyRequest,
    by_rules,
    condition,
    invalid,
    request,
    rule,
    with_condition,
)


def saving(name: str, where: str, body: Any, **more: Any) -> FaultyRequest:
    """A sharing permission that cannot be saved."""
    return invalid(name, where, "PUT $A/sharing", body, **more)


NO_JSON = tuple(
    request(f"{name} as a permission", 422, "invalid_json", "PUT $A/sharing", content=content, headers=JSON)
    for name, content in {
        "JSON cut short": b'{"mode":"zebra-7731',
        "JSON with single quotes": b"{'mode':'zebra-7731'}",
        "two JSON values": b'{"mode":"district"} "zebra-7731"',
        "bytes that are not UTF-8": b'{"mode":"zebra-7731\xff"}',
        "JSON that goes deep and breaks off": b'{"mode":' * 30,
        "a number of 5,000 digits": b'{"mode":"district","include_staff":' + b"7731" * 1250 + b"}",
        "a control character in a string": b'{"mode":"zebra-7731\x00"}',
    }.items()
)
TOO_DEEP = tuple(
    request(f"{name} as a permission", 422, "too_deep", "PUT $A/sharing", content=content, headers=JSON)
    for name, content in {
        "very deep JSON": b'{"mode":' * 100_000,
        "depth in a member": b'{"mode":"rules","rules":{"zebra-7731":' + b"[" * 500 + b"]" * 500 + b"}}",
        "JSON of very many lists": b'{"mode":"rules","rules":[' + b"[]," * 100_000 + b'"zebra-7731"]}',
    }.items()
)
OTHER_CONTENT = tuple(
    request(
        f"a permission as {media_type or 'nothing in particular'}",
        415,
        "unsupported_content",
        "PUT $A/sharing",
        content=b'{"mode":"district","include_staff":true}',
        headers={"Content-Type": media_type} if media_type else {},
    )
    for media_type in ("", "text/plain", "application/x-www-form-urlencoded", f"multipart/form-data; boundary={ZEBRA}")
)

SCHOOLS = {"mode": "schools"}
PERMISSIONS = (
    saving("no body", "body", NOTHING, content=b"", headers=JSON),
    saving("null as a permission", "body", None),
    saving("a list as a permission", "body", [{"mode": "district"}, ZEBRA]),
    saving("a text as a permission", "body", ZEBRA),
    saving("a permission without mode", "body", {"include_staff": True}),
    saving("unknown mode", "body", {"mode": ZEBRA}),
    saving("mode in capitals", "body", {"mode": "District"}),
    saving("mode is null", "body", {"mode": None}),
    saving("mode is a list", "body", {"mode": ["district", ZEBRA]}),
    saving("mode is not a number", "body", NOTHING, content=b'{"mode":NaN}', headers=JSON),
    saving("mode twice, the second unknown", "body", NOTHING, content=b'{"mode":"district","mode":"z"}', headers=JSON),
    saving(
        "depth in a member",
        "body.rules",
        NOTHING,
        headers=JSON,
        content=b"".join((b'{"mode":"rules","rules":{"zebra-7731":', b"[" * 29, b"]" * 29, b"}}")),
    ),
    saving("unknown member", "body", {"mode": "district", ZEBRA: ZEBRA}),
    saving("unknown member with NUL", "body", {"mode": "district", NUL: 1}),
    saving("unknown member with a surrogate", "body", {"mode": "district", SURROGATE: 1}),
    saving("member of another mode", "body", {"mode": "school_site", "rules": []}),
    saving("include_staff is a text", "body.include_staff", {"mode": "district", "include_staff": ZEBRA}),
    saving("include_staff is null", "body.include_staff", {"mode": "district", "include_staff": None}),
    saving("schools without ids", "body.school_ids", SCHOOLS),
    saving("school ids are a text", "body.school_ids", SCHOOLS | {"school_ids": ZEBRA}),
    saving("a school id is no UUID", "body.school_ids.1", SCHOOLS | {"school_ids": ["$north", ZEBRA]}),
    saving("a school id is null", "body.school_ids.0", SCHOOLS | {"school_ids": [None]}),
    saving("a school id is a number", "body.school_ids.0", SCHOOLS | {"school_ids": [7731]}),
    saving("10,001 schools", "body.school_ids", SCHOOLS | {"school_ids": ["$north"] * 10_001}),
    saving("100,001 sections", "body.section_ids", {"mode": "sections", "section_ids": ["$algebra"] * 100_001}),
    saving(
        "an unknown school among others",
        "body.school_ids.1",
        SCHOOLS | {"school_ids": ["$north", UNKNOWN, "$south"]},
        listed={"unknown_ids": (UNKNOWN,)},
    ),
    saving(
        "schools of another district",
        "body.school_ids.0",
        SCHOOLS | {"school_ids": ["$their_school", "$their_school"]},
        listed={"unknown_ids": ("$their_school",)},
    ),
    saving(
        "a section as a school",
        "body.school_ids.0",
        SCHOOLS | {"school_ids": ["$algebra"]},
        listed={"unknown_ids": ("$algebra",)},
    ),
    saving(
        "unknown sections",
        "body.section_ids.0",
        {"mode": "sections", "section_ids": [UNKNOWN, "$their_section", "$algebra"]},
        listed={"unknown_ids": (UNKNOWN, "$their_section")},
    ),
    saving("rules missing", "body.rules", {"mode": "rules"}),
    saving("rules are an object", "body.rules", {"mode": "rules", "rules": {ZEBRA: ZEBRA}}),
    saving("a rule is a text", "body.rules.0", by_rules(ZEBRA)),
    saving("51 rules", "body.rules", by_rules(*[rule()] * 51)),
    saving("51 exceptions", "body.except", by_rules(rule(), **{"except": [rule()] * 51})),
    saving("a rule without conditions", "body.rules.0.where", by_rules({"match": "students", "where": []})),
    saving("a rule without where", "body.rules.0.where", by_rules({"match": "students"})),
    saving("21 conditions", "body.rules.1.where", by_rules(rule(), rule(*[condition()] * 21))),
    saving("a rule without match", "body.rules.0", by_rules({"where": [condition()]})),
    saving("a rule for an unknown kind", "body.rules.0", by_rules(rule(match=ZEBRA))),
    saving("a rule for courses", "body.rules.0", by_rules(rule(match="courses"))),
    saving("companions of a section rule", "body.rules.0", by_rules(rule(match="sections", companions=True))),
    saving("companions is a text", "body.rules.0.companions", by_rules(rule(companions=ZEBRA))),
    saving("unknown member of a rule", "body.rules.0", by_rules(rule() | {ZEBRA: 1})),
    saving("unknown member of an exception", "body.except.0", by_rules(**{"except": [rule() | {ZEBRA: 1}]})),
    saving("unknown member of a condition", "body.rules.0.where.0", with_condition(**{ZEBRA: ZEBRA})),
    saving("a condition is a text", "body.rules.0.where.0", by_rules({"match": "students", "where": [ZEBRA]})),
    saving("no field", "body.rules.0.where.0.field", with_condition(field=None)),
    saving("empty field", "body.rules.0.where.0.field", with_condition(field="")),
    saving("unknown field", "body.rules.0", with_condition(field=ZEBRA)),
    saving("field of another kind", "body.rules.0", with_condition(field="period")),
    saving("field in capitals", "body.rules.0", with_condition(field="Grade")),
    saving("extension without a name", "body.rules.0", with_condition(field="ext.")),
    saving("field with NUL", "body.rules.0.where.0.field", with_condition(field=f"ext.{NUL}")),
    saving("field of 201 characters", "body.rules.0.where.0.field", with_condition(field="ext." + "z" * 197)),
    saving("no operator", "body.rules.0.where.0.operator", with_condition(operator=None)),
    saving("unknown operator", "body.rules.0.where.0.operator", with_condition(operator=ZEBRA)),
    saving("operator in capitals", "body.rules.0.where.0.operator", with_condition(operator="IS")),
    saving("is_empty with values", "body.rules.0.where.0", with_condition(operator="is_empty")),
    saving("is_not_empty with values", "body.rules.0.where.0", with_condition(operator="is_not_empty")),
    saving("is without values", "body.rules.0.where.0", with_condition(values=None)),
    saving("contains with no value", "body.rules.0.where.0", with_condition(operator="contains", values=[])),
    saving("empty value", "body.rules.0.where.0.values.1", with_condition(values=[ZEBRA, ""])),
    saving("value of 201 characters", "body.rules.0.where.0.values.0", with_condition(values=[ZEBRA + "z" * 191])),
    saving("1,001 values", "body.rules.0.where.0.values", with_condition(values=[ZEBRA] * 1001)),
    saving("value with NUL", "body.rules.0.where.0.values.0", with_condition(values=[NUL])),
    saving("value with a surrogate", "body.rules.0.where.0.values.0", with_condition(values=[SURROGATE])),
    saving("value is null", "body.rules.0.where.0.values.0", with_condition(values=[None])),
    saving("value is a number", "body.rules.0.where.0.values.0", with_condition(values=[7731])),
    saving("value is a list", "body.rules.0.where.0.values.0", with_condition(values=[[ZEBRA]])),
    saving("values are a text", "body.rules.0.where.0.values", with_condition(values=ZEBRA)),
    saving("case_sensitive is a text", "body.rules.0.where.0.case_sensitive", with_condition(case_sensitive=ZEBRA)),
    saving("faulty exception", "body.except.0.where.0", by_rules(**{"except": [rule(condition(values=[]))]})),
)
PREVIEWS = tuple(
    replace(one, name=f"{one.name}, previewed", method="POST", path=f"{one.path}/preview")
    for one in (*NO_JSON, *TOO_DEEP, *PERMISSIONS)
)

VERSIONS = (
    *(
        request(
            f"save with If-Match {tag}",
            412,
            "version_changed",
            "PUT $A/sharing",
            body=DISTRICT,
            headers={"If-Match": tag},
        )
        for tag in (
            '"1"',
            '"3"',
            '"02"',
            'W/"2"',
            "2",
            "",
            f'"{ZEBRA}"',
            f"{ZEBRA}",
            '"1", W/"2"',
            '"' + "9" * 40 + '"',
        )
    ),
    request("unshare with an old version", 412, "version_changed", "DELETE $A/sharing", headers={"If-Match": '"1"'}),
    request(
        "restore with an old version",
        412,
        "version_changed",
        "POST $A/sharing/history/1/restore",
        headers={"If-Match": f'"{ZEBRA}"'},
    ),
    request(
        "change what is not set",
        412,
        "version_changed",
        "PUT $D/applications/$silent/sharing",
        body=DISTRICT,
        headers={"If-Match": "*"},
    ),
    request("sharing that is not set", 404, "not_shared", "GET $D/applications/$silent/sharing"),
    *(
        request(f"restore version {version}", 404, "not_found", f"POST $A/sharing/history/{version}/restore")
        for version in ("3", "0", "-1", "01", "1.0", "%201", "99999999999", ZEBRA, "%00", "%ed%a0%80", "%D9%A1")
    ),
    request(
        "restore of another application", 404, "not_found", "POST $D/applications/$silent/sharing/history/1/restore"
    ),
)
