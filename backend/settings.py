"""The only reader of the environment: every variable is named PATHSCOPE_<FIELD>."""

from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import limits
from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where state lies and which servers are used; the defaults need no server at all."""

    model_config = SettingsConfigDict(
        env_prefix="PATHSCOPE_", env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    home: Path = Field(default=Path("var"), description="folder of the database, the message files and the artifacts")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535, validation_alias=AliasChoices("PATHSCOPE_PORT", "PORT"))
    url: str = Field(default="", description="the server that the command line asks; empty: the one at host and port")
    database_url: str = Field(default="", description="SQLAlchemy address; empty: SQLite under home")
    broker_url: str = Field(default="", description="Celery broker; empty: message files under home")
    artifacts_url: str = Field(default="", description="fsspec address; empty: a folder under home")
    data: Path | None = Field(default=None, description="folder whose sub-folders and zips are offered as datasets")
    log_format: Literal["auto", "text", "json"] = Field(default="auto", description="auto: text on a terminal")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    celery_events: bool = Field(default=False, description="tell Flower what the workers do")
    max_body_bytes: int = Field(default=2_000_000, gt=0)
    auth: Literal["auto", "tokens", "none"] = Field(
        default="auto",
        description="who is let in: with a token (tokens), everybody (none), or everybody on loopback until there is a "
        "token (auto)",
    )
    public_url: str = Field(default="", description="addresses by which browsers reach the server; commas between")
    token: SecretStr | None = Field(default=None, description="the token that the command line sends")
    admin_token: SecretStr | None = Field(default=None, min_length=32, description="a token with scope admin")
    admin_token_file: Path | None = Field(default=None, description="a file that holds it")
    session_secret: SecretStr | None = Field(
        default=None, min_length=32, description="signs the cookies of browsers; empty: a file under home"
    )
    session_hours: float = Field(default=168, gt=0, description="a browser signs in again after so long")
    sign_in_limit: str = Field(default="10/minute", description="attempts to sign in, from one address")
    submit_limit: str = Field(default="300/minute", description="submissions, with one token")
    max_queued_runs: int = Field(default=1000, ge=1, description="runs that may wait, of one token")
    max_epochs: int = Field(default=10_000, ge=1)
    max_probe_images: int = Field(default=2048, ge=2)
    max_run_bytes: int = Field(default=10**12, ge=1, description="what a run may store, as estimated before it starts")
    worker_silent_seconds: float = Field(default=15, gt=0, description="a worker unheard of for longer counts as gone")
    lease_silent_seconds: float = Field(default=30, gt=0, description="a run unheard of for longer is queued again")
    max_attempts: int = Field(default=3, ge=1, description="a run fails when so many attempts were lost")
    database_patience_seconds: float = Field(default=600, gt=0, description="a trainer waits so long for its database")
    private_webhooks: bool = Field(default=False, description="webhooks may reach addresses that are not public")
    webhook_attempts: int = Field(default=8, ge=1, description="so often a message of a webhook is tried")
    webhook_pause_seconds: float = Field(default=5, gt=0, description="after the first failure; it doubles each time")
    max_sweep_runs: int = Field(default=200, ge=1)

    @field_validator("home", "data", "admin_token_file")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else path

    @field_validator("sign_in_limit", "submit_limit")
    @classmethod
    def _rate(cls, text: str) -> str:
        try:
            limits.parse(text)
        except ValueError:
            raise ValueError("a rate is wanted, e.g. 10/minute") from None
        return text

    @field_validator("public_url")
    @classmethod
    def _origins(cls, text: str) -> str:
        for url in _listed(text):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
                raise ValueError(f"{url!r} is no address such as https://pathscope.example.org")
        return text

    @property
    def administrator(self) -> str | None:
        """The token with scope admin that the environment or its file holds. Raises OSError."""
        if self.admin_token is not None:
            return self.admin_token.get_secret_value()
        return self.admin_token_file.read_text().strip() or None if self.admin_token_file else None

    @property
    def public_urls(self) -> tuple[str, ...]:
        return _listed(self.public_url)

    @property
    def server_url(self) -> str:
        return self.url.rstrip("/") or address(self.host, self.port)

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'pathscope.db'}"

    @property
    def broker(self) -> str:
        return self.broker_url or "filesystem://"

    @property
    def artifacts(self) -> str:
        return self.artifacts_url or (self.home / "artifacts").as_uri()

    @property
    def data_folder(self) -> Path:
        return self.data or self.home / "data"

    @property
    def message_folder(self) -> Path:
        return self.home / "messages"

    @property
    def broker_kind(self) -> str:
        return urlsplit(self.broker).scheme


def _listed(text: str) -> tuple[str, ...]:
    return tuple(url.strip().rstrip("/").lower() for url in text.split(",") if url.strip())


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on host and port."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reachable}:{port}"


@lru_cache
def settings() -> Settings:
    return Settings()
