"""The process's settings: environment variables `SLUICE_*`, each checked before anything starts."""

import difflib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSetting

from bot import durations
from bot.metrics.queries import Reporter

PREFIX = "SLUICE_"


class Transport(StrEnum):
    """How Slack's payloads arrive."""

    SOCKET = "socket"
    HTTP = "http"


class LogFormat(StrEnum):
    """How a log line is written."""

    TEXT = "text"
    JSON = "json"


def _duration(value: object) -> object:
    return durations.parse(value) if isinstance(value, str) else value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return value


def _names(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from error
    return value


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8080")
    return value


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be a URL that begins with http:// or https://")
    return value


def _command(value: str) -> str:
    if not value.startswith("/") or len(value) < 2 or " " in value:
        raise ValueError("must be one word that begins with /, such as /release")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Url = Annotated[str, AfterValidator(_url)]


class Settings(BaseSettings):
    """Everything the process is told; what a service is told stands in its profile."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", enable_decoding=False, env_ignore_empty=True
    )

    database: str = Field("sqlite:///sluice.db", description="SQLAlchemy URL of the database: SQLite or PostgreSQL")
    profiles: Path | None = Field(None, description="directory with one YAML profile per service")
    roles: Path | None = Field(None, description="YAML file: role -> user and group ids")
    cluster: str = Field("cluster", description="name of the cluster, shown on every card")
    namespaces: Names = Field((), description="namespaces to watch, separated by commas; empty: all")
    kubeconfig: Path | None = Field(None, description="kubeconfig file; else KUBECONFIG, else the pod's own account")
    kube_context: str | None = Field(None, description="context of the kubeconfig")
    prometheus_url: Url = Field("http://127.0.0.1:9090", description="base URL of Prometheus")
    reporter: Reporter = Field(Reporter.BOTH, description="side of a request that is read")
    slack_api_url: Url = Field("https://slack.com/api/", description="base URL of Slack's Web API")
    slack_transport: Transport = Field(Transport.SOCKET, description="how Slack's payloads arrive")
    slack_bot_token: SecretStr | None = Field(None, description="bot token (xoxb-)")
    slack_app_token: SecretStr | None = Field(None, description="app token (xapp-), for the socket transport")
    slack_signing_secret: SecretStr | None = Field(None, description="signing secret, for the http transport")
    slack_command: Annotated[str, AfterValidator(_command)] = Field("/release", description="the slash command")
    slack_channel: str = Field("", description="channel id for services whose profile names none")
    hooks_token: SecretStr | None = Field(None, description="bearer token for staging and smoke tests")
    hooks_hosts: Names = Field((), description="hosts that get this token, over https alone, separated by commas")
    listen: Annotated[str, AfterValidator(_address)] = Field("127.0.0.1:8080", description="HOST:PORT of the HTTP door")
    look: Annotated[Duration, AfterValidator(_positive)] = Field(
        timedelta(seconds=15), description="time between two looks where the profile says nothing"
    )
    propagation: Duration = Field(
        timedelta(seconds=2), description="time between a new subset and the first route that names it"
    )
    evidence_days: int = Field(
        30, ge=1, le=3650, description="days that the looks of a release are kept; the journal stays"
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="IANA zone of times without one")
    log: LogFormat = Field(LogFormat.TEXT, description="how a log line is written")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the caller passes and the environment; no dotenv, no secrets directory."""
        del settings_cls, dotenv_settings, file_secret_settings
        return (init_settings, env_settings)


SECRETS = ("slack_bot_token", "slack_app_token", "slack_signing_secret", "hooks_token")


class WrongSettings(Exception):
    """One sentence per wrong setting: its name, its value, what is allowed. Secrets are not shown."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load(environ: Mapping[str, str], *, needs_slack: bool = True) -> Settings:
    """The settings of this environment; WrongSettings names each wrong one, and each unknown `SLUICE_*` name.

    Commands that do not speak to Slack need none of its tokens.
    """
    lines = _unknown(environ)
    secrets, unreadable = _from_files(environ)
    lines += unreadable
    try:
        settings = Settings(**secrets)
    except (ValidationError, UnreadableSetting) as error:
        raise WrongSettings((*lines, *_sentences(error, environ))) from None
    lines += _half(settings) + (_incomplete(settings) if needs_slack else [])
    if lines:
        raise WrongSettings(tuple(lines))
    return settings


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field.upper()}"


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = {variable(field) for field in Settings.model_fields} | {f"{variable(field)}_FILE" for field in SECRETS}
    lines = []
    for name in sorted(environ):
        # Variables of the test runner and of a Kubernetes service named sluice are not settings.
        foreign = name.startswith(
            (f"{PREFIX}TEST_", f"{PREFIX}SERVICE_", f"{PREFIX}PORT", f"{PREFIX}ARTIFACTS", f"{PREFIX}FUZZ")
        )
        if name.startswith(PREFIX) and name not in known and not foreign:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else "; sluice settings lists them"
            lines.append(f"{name} is not a setting{hint}")
    return lines


def _from_files(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    lines = []
    for field in SECRETS:
        name = f"{variable(field)}_FILE"
        path = environ.get(name)
        if not path:
            continue
        if environ.get(variable(field)):
            lines.append(f"{name} and {variable(field)} are both set; set one of them")
            continue
        try:
            values[field] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            lines.append(f"{name}={path}: the file cannot be read ({type(error).__name__})")
    return values, lines


def _sentences(error: ValidationError | UnreadableSetting, environ: Mapping[str, str]) -> tuple[str, ...]:
    if isinstance(error, UnreadableSetting):
        return (str(error),)
    lines = []
    for problem in error.errors(include_url=False, include_context=False):
        field = str(problem["loc"][0]).lower().removeprefix(PREFIX.lower())
        shown = "(secret)" if field in SECRETS else environ.get(variable(field), "")
        text = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        lines.append(f"{variable(field)}={shown}: {text}")
    return tuple(lines)


def _half(settings: Settings) -> list[str]:
    token, hosts = variable("hooks_token"), variable("hooks_hosts")
    if settings.hooks_token is not None and not settings.hooks_hosts:
        return [f"{hosts} is missing; {token} is sent to no host that is not named there"]
    if settings.hooks_hosts and settings.hooks_token is None:
        return [f"{token} is missing; {hosts} says who would get it (or {token}_FILE)"]
    return []


def _incomplete(settings: Settings) -> list[str]:
    needed = ["slack_bot_token"]
    needed.append("slack_app_token" if settings.slack_transport is Transport.SOCKET else "slack_signing_secret")
    why = f"SLUICE_SLACK_TRANSPORT={settings.slack_transport}"
    return [
        f"{variable(field)} is missing; {why} needs it (or {variable(field)}_FILE)"
        for field in needed
        if getattr(settings, field) is None
    ]
