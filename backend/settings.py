"""The only reader of the environment: every variable is named PATHSCOPE_<FIELD>."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator
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
    max_body_bytes: int = Field(default=2_000_000, gt=0)
    worker_silent_seconds: float = Field(default=15, gt=0, description="a worker unheard of for longer counts as gone")
    lease_silent_seconds: float = Field(default=30, gt=0, description="a run unheard of for longer is queued again")
    max_attempts: int = Field(default=3, ge=1)

    @field_validator("home", "data")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else path

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


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on host and port."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reachable}:{port}"


@lru_cache
def settings() -> Settings:
    return Settings()
