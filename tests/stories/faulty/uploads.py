"""Uploads that are not taken in, and syncs that cannot be released."""

from tests.stories.faulty.shape import JSON, UNKNOWN, ZEBRA, invalid, request


def parts(*names: bytes, end: bytes = b"--zebra-7731--\r\n") -> bytes:
    """A multipart body with a part for each name."""
    part = b'--zebra-7731\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\nzebra-7731\r\n'
    return b"".join(part % name for name in names) + end


MEBIBYTE = 1 << 20
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={ZEBRA}"}

UPLOADS = (
    request("upload of JSON", 415, "unsupported_content", "POST $D/syncs", body={ZEBRA: ZEBRA}),
    request(
        "upload of JSON with a key",
        415,
        "unsupported_content",
        "POST $D/syncs",
        body={},
        headers={"Idempotency-Key": "k"},
    ),
    request(
        "upload of CSV", 415, "unsupported_content", "POST $D/syncs", content=b"z", headers={"Content-Type": "text/csv"}
    ),
    request("upload of nothing", 415, "unsupported_content", "POST $D/syncs"),
    *(
        invalid(f"upload of {name}", None, "POST $D/syncs", content=content, headers=MULTIPART | headers)
        for name, content, headers in (
            ("parts without a boundary", parts(b"students.csv"), {"Content-Type": "multipart/form-data"}),
            ("a long boundary", b"", {"Content-Type": "multipart/form-data; boundary=" + "z" * 300}),
            ("a boundary of its own", parts(b"students.csv"), {"Content-Type": "multipart/form-data; boundary=other"}),
            ("parts that end early", parts(b"students.csv", end=b""), {}),
            ("no part", parts(), {}),
            ("no bytes", b"", {}),
            ("no parts at all", ZEBRA.encode(), {}),
            ("a part without a name", parts(b"").replace(b'; name="f"', b""), {}),
            ("a part that names a folder", parts(b"zebra-7731/"), {}),
            ("a part that is not named in UTF-8", parts(b"zebra-7731\xff"), {}),
            ("a part named with NUL", parts(b"zebra-7731\0.csv"), {}),
            ("a part with a long name", parts(b"z" * 256), {}),
            ("65 parts", parts(*[b"zebra-7731.csv"] * 65), {}),
            ("a part with a long header", parts(b"z" * 100_000), {}),
        )
    ),
    invalid(
        "dry run that is no truth",
        "query.dry_run",
        f"POST $D/syncs?dry_run={ZEBRA}",
        content=parts(b"a"),
        headers=MULTIPART,
    ),
    *(
        request(f"{verb} {name}", status, code, f"POST $D/syncs/{sync}/{verb}")
        for verb in ("release", "discard")
        for name, status, code, sync in (
            ("a published sync", 409, "not_held", "$sync"),
            ("an unknown sync", 404, "not_found", UNKNOWN),
            ("another district's sync", 404, "not_found", "$their_sync"),
            ("no sync", 404, "not_found", ZEBRA),
        )
    ),
    *(
        request(f"17 MiB to {route}", 413, "too_large", route, content=b" " * (17 * MEBIBYTE), headers=JSON)
        for route in ("PUT $A/sharing", "PUT $A/sites/syncs", "PATCH /v1/applications/syncs")
    ),
)
