"""Everything the environment decides, read once by `main` and `cli`."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEBIBYTE = 1024 * 1024
ORIGIN: Final = re.compile(r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?")
"""An origin as browsers write it; without TLS only one of the same machine."""


def default_data_dir() -> Path:
    """`./var`, or for root the system's place for the state of services."""
    return Path("/var/lib/sharing-service") if os.geteuid() == 0 else Path("var")


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = tuple(origin for part in value.split(",") if (origin := part.strip()))
    if not all(map(ORIGIN.fullmatch, origins)):
        raise ValueError("Name each origin as https://HOST or https://HOST:PORT; there is no sign for all.")
    return origins


class Settings(BaseSettings):
    """Settings of the service: every one is an environment variable `SHARING_...`."""

    model_config = SettingsConfigDict(env_prefix="SHARING_", env_file=".env", extra="ignore", frozen=True)

    database_url: str | None = Field(
        default=None, description="PostgreSQL 15 to 18, `postgresql://...`; without it an embedded one is started."
    )
    worker_database_url: str | None = Field(
        default=None, description="The same database by the login of the worker, where it has one of its own."
    )
    migration_database_url: str | None = Field(
        default=None, description="The same database by a login that may change the schema, where the other may not."
    )
    data_dir: Path = Field(
        default_factory=default_data_dir, description="Where the embedded PostgreSQL and the token key are kept."
    )
    operator_token: SecretStr | None = Field(
        default=None, min_length=32, description="The operator's token; without it the first start prints one, once."
    )
    token_key: SecretStr | None = Field(
        default=None, min_length=32, description="Key of the token hashes; without it, one in the data directory."
    )
    pool_size: int = Field(
        default=10, ge=2, le=100, description="Database connections of each process for partners, and for all else."
    )
    rate_limit: int = Field(
        default=6000,
        ge=1,
        description="Requests a minute of each token and each client; a hundredth of it are wrong secrets of a client.",
    )
    district_requests_a_minute: int = Field(
        default=60_000, ge=1, description="Requests a minute of all applications of a district together."
    )
    volume_alarm: int = Field(
        default=20,
        ge=1,
        description="How many times the persons that a grant shares a token may receive in an hour without an alarm.",
    )
    upload_limit: int = Field(
        default=2048 * MEBIBYTE, ge=1024, description="Bytes that one upload may send, compressed or not."
    )
    unpacked_limit: int = Field(
        default=8192 * MEBIBYTE, ge=1024, description="Bytes that one upload may hold once unpacked."
    )
    log_level: Literal["info", "warning"] = Field(
        default="info", description="`info` logs a line for each request; `warning` only what is not as it should be."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        default=(), description="Origins, separated by commas, whose pages may ask the management API from a browser."
    )
    security_contact: str | None = Field(
        default=None,
        pattern=r"^(mailto:|https://|tel:)[!-~]+$",
        description="Whom to tell about a weakness, as `mailto:...` or `https://...`, for `/.well-known/security.txt`.",
    )
