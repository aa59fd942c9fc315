"""The OpenAPI document of the partner API, as something that answers are held against."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from jsonschema_rs import Draft202012Validator

from tests.factories.service import Json

PARTNER = "/v3."
LISTS = {"limit", "starting_after"}
"""Parameters by which a list is told."""


@dataclass(frozen=True)
class Documented:
    """The document, and every status that answers have had by path."""

    document: Json
    seen: dict[str, set[str]] = field(default_factory=dict)
    _validators: dict[tuple[str, str], Draft202012Validator] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, Json]:
        """The operation of every partner path."""
        paths: dict[str, Json] = self.document["paths"]
        return {path: operations["get"] for path, operations in paths.items() if path.startswith(PARTNER)}

    def check(self, path: str, response: httpx2.Response) -> Any:
        """The JSON of an answer, whose status, content type and body are those that the document gives for the path."""
        status = str(response.status_code)
        assert status in self.paths[path]["responses"], f"{response.request.url}: {status} is not documented"
        self.seen.setdefault(path, set()).add(status)
        if status == "304":
            assert "content" not in self.paths[path]["responses"][status]
            assert response.content == b""
            return None
        [(content_type, described)] = self.paths[path]["responses"][status]["content"].items()
        assert response.headers["Content-Type"] == content_type
        schema = described["schema"] | {"components": self.document["components"]}
        if (path, status) not in self._validators:
            self._validators[path, status] = Draft202012Validator(schema)
        body = response.json()
        self._validators[path, status].validate(body)
        return body

    def queries(self, path: str, record: str) -> Iterator[str]:
        """Query strings with each documented parameter: right, wrong, empty and together; `record` is some id."""
        yield ""
        yield "colour=red"
        parameters = [each for each in self.paths[path].get("parameters", ()) if each["in"] == "query"]
        for parameter in parameters:
            schema = parameter["schema"]
            values = schema.get("enum", [record, "1", str(schema.get("maximum", "2"))])
            for value in (*values, "", "10001", "%00%F0%9F%8D%8E"):
                yield f"{parameter['name']}={value}"
        if {parameter["name"] for parameter in parameters} >= LISTS:
            yield f"limit=1&starting_after={record}&count=true"
            yield f"limit=2&ending_before={record}"
            yield f"starting_after={record}&ending_before={record}"
