"""Everything the environment decides, read once by `main` and `cli`."""

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


def default_data_dir() -> Path:
    """`./var`, or for root the system's place for the state of services."""
    return Path("/var/lib/sharing-service") if os.geteuid() == 0 else Path("var")


class Settings(BaseSettings):
    """Settings of the service: every one is an environment variable `SHARING_...`."""

    model_config = SettingsConfigDict(env_prefix="SHARING_", env_file=".env", extra="ignore", frozen=True)

    database_url: str | None = Field(
        default=None, description="PostgreSQL 15 to 18, `postgresql://...`; without it an embedded one is started."
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
    rate_limit: int = Field(default=6000, ge=1, description="Requests a minute of each token, in each process.")
    upload_limit: int = Field(
        default=2048 * MEBIBYTE, ge=1024, description="Bytes that one upload may send, compressed or not."
    )
    unpacked_limit: int = Field(
        default=8192 * MEBIBYTE, ge=1024, description="Bytes that one upload may hold once unpacked."
    )
