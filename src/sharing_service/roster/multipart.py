"""Takes a multipart/form-data body apart while it arrives, one part a file (RFC 7578)."""

from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sharing_service.errors import Invalid

MAX_PARTS: Final = 64
MAX_NAME: Final = 255
"""Characters of a file name."""
_ARCHIVE_TYPES: Final = (b"application/zip", b"application/x-zip-compressed")


@dataclass(frozen=True, slots=True)
class PartBegins:
    """The next file begins."""

    name: str
    is_archive: bool


class MultipartFiles:
    """The files of one body: feed it what arrives and take what that completes."""

    def __init__(self, content_type: str) -> None:
        """Raise `Invalid` if the content type names no usable boundary."""
        _, options = parse_options_header(content_type)
        self._headers: dict[str, str] = {}
        self._field = self._value = b""
        self._parts = 0
        self._found: list[PartBegins | bytes] = []
        self._ended = False
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_header_field": self._on_field,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": lambda data, start, end: self._found.append(data[start:end]),
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise Invalid("The boundary in Content-Type is too long.") from None
        if not options.get(b"boundary"):
            raise Invalid("Name the boundary of the parts in Content-Type.")

    def feed(self, data: bytes) -> list[PartBegins | bytes]:
        """What the next bytes of the body hold: beginnings of files and pieces of the file begun last."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise Invalid("The multipart body cannot be taken apart; send each file as one part.") from None
        found, self._found = self._found, []
        return found

    def end(self) -> None:
        """Raise `Invalid` if the body ended before its last boundary or held no file."""
        if not self._ended:
            raise Invalid("The multipart body ends early; send it whole.")
        if not self._parts:
            raise Invalid("The multipart body holds no file.")

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Invalid(f"Send at most {MAX_PARTS} files.")
        _, options = parse_options_header(self._headers.get("content-disposition"))
        kind, _ = parse_options_header(self._headers.get("content-type"))
        self._headers = {}
        name = _file_name(options.get(b"filename") or options.get(b"name") or b"")
        self._found.append(PartBegins(name, name.lower().endswith(".zip") or kind in _ARCHIVE_TYPES))

    def _on_end(self) -> None:
        self._ended = True


def _file_name(sent: bytes) -> str:
    try:
        name = sent.decode()
    except UnicodeDecodeError:
        raise Invalid("Name the files of the parts in UTF-8.") from None
    # Some clients send the path on their machine.
    name = name.replace("\\", "/").rpartition("/")[2]
    if not name or not name.isprintable() or len(name) > MAX_NAME:
        raise Invalid(f"Name the file of each part in Content-Disposition, with at most {MAX_NAME} visible characters.")
    return name
