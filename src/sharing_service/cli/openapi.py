"""The OpenAPI document, made without a database."""

import json

from pydantic import SecretStr

from sharing_service.main import create_app
from sharing_service.settings import Settings


def document() -> str:
    """The document as JSON text."""
    # A key of its own, so that nothing is written to a data directory; no request is ever answered with it.
    app = create_app(Settings(token_key=SecretStr("unused" * 6)), database_url="postgresql://")
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2)
