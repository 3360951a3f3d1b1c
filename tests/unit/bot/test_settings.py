"""A wrong setting stops the start with its name, its value and what is allowed; secrets are not shown."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import LogFormat, Settings, Transport, WrongSettings, load, variable

TOKENS = {"SLUICE_SLACK_BOT_TOKEN": "xoxb-secret", "SLUICE_SLACK_APP_TOKEN": "xapp-secret"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)
        monkeypatch.delenv(f"{variable(field)}_FILE", raising=False)


def loaded(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
    """The settings of an environment with both tokens and these variables."""
    environ = {**TOKENS, **{f"SLUICE_{name}": value for name, value in changes.items()}}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return load(environ)


def wrong(monkeypatch: pytest.MonkeyPatch, **changes: str) -> tuple[str, ...]:
    """What is wrong with such an environment."""
    with pytest.raises(WrongSettings) as caught:
        loaded(monkeypatch, **changes)
    return caught.value.lines


def test_with_both_tokens_the_rest_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch)
    assert (settings.look, settings.propagation) == (timedelta(seconds=15), timedelta(seconds=2))
    assert (settings.slack_transport, settings.log) == (Transport.SOCKET, LogFormat.TEXT)
    assert (settings.listen, settings.slack_command, settings.timezone) == ("127.0.0.1:8080", "/release", "UTC")


def test_names_and_durations_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, NAMESPACES="shop, edge,", LOOK="10s", TIMEZONE="Europe/Berlin")
    assert settings.namespaces == ("shop", "edge")
    assert settings.look == timedelta(seconds=10)
    assert settings.timezone == "Europe/Berlin"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, LOOK="", CLUSTER="").look == timedelta(seconds=15)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("LOOK", "soon", "a length of time such as 90s, 10m"),
        ("LOOK", "0s", "must be longer than 0s"),
        ("PROPAGATION", "2", "a length of time such as"),
        ("TIMEZONE", "Mars/Olympus", "must be an IANA time zone such as Europe/Berlin"),
        ("LISTEN", "8080", "must be HOST:PORT, such as 127.0.0.1:8080"),
        ("LISTEN", "localhost:99999", "must be HOST:PORT"),
        ("PROMETHEUS_URL", "prometheus:9090", "must be a URL that begins with http:// or https://"),
        ("SLACK_API_URL", "slack.com", "must be a URL that begins with http:// or https://"),
        ("SLACK_COMMAND", "release", "must be one word that begins with /"),
        ("SLACK_TRANSPORT", "pigeon", "'socket' or 'http'"),
        ("LOG", "xml", "'text' or 'json'"),
        ("REPORTER", "nobody", "'both', 'source' or 'destination'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str, allowed: str
) -> None:
    (line,) = wrong(monkeypatch, **{field: value})
    assert line.startswith(f"SLUICE_{field}={value}: ")
    assert allowed in line


def test_a_token_for_hooks_goes_with_the_hosts_that_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as alone:
        (line,) = wrong(alone, HOOKS_TOKEN="s3cret")
    assert line == "SLUICE_HOOKS_HOSTS is missing; SLUICE_HOOKS_TOKEN is sent to no host that is not named there"
    with monkeypatch.context() as alone:
        (line,) = wrong(alone, HOOKS_HOSTS="staging.example")
    assert line.startswith("SLUICE_HOOKS_TOKEN is missing; SLUICE_HOOKS_HOSTS says who would get it")
    settings = loaded(monkeypatch, HOOKS_TOKEN="s3cret", HOOKS_HOSTS="staging.example, smoke.example")
    assert settings.hooks_hosts == ("staging.example", "smoke.example")
    assert "s3cret" not in repr(settings)


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(monkeypatch, LOOK="soon", LISTEN="8080", LOKO="1")
    assert [line.split("=")[0].split(" ")[0] for line in lines] == ["SLUICE_LOKO", "SLUICE_LISTEN", "SLUICE_LOOK"]


def test_an_unknown_setting_is_named_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong(monkeypatch, DATABSE="x") == ("SLUICE_DATABSE is not a setting; did you mean SLUICE_DATABASE?",)


def test_an_unknown_setting_without_a_near_one_leads_to_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = wrong(monkeypatch, HTTPS_REDIRECTIONS_ALLOWED="x")
    assert line == "SLUICE_HTTPS_REDIRECTIONS_ALLOWED is not a setting; sluice settings lists them"


@pytest.mark.parametrize("name", ["TEST_CACHE", "SERVICE_HOST", "PORT_8080_TCP", "ARTIFACTS"])
def test_what_others_set_under_our_prefix_is_no_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert loaded(monkeypatch, **{name: "x"}).cluster == "cluster"


@pytest.mark.parametrize(
    ("transport", "missing"), [("socket", "SLUICE_SLACK_APP_TOKEN"), ("http", "SLUICE_SLACK_SIGNING_SECRET")]
)
def test_each_transport_names_the_secret_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, transport: str, missing: str
) -> None:
    environ = {"SLUICE_SLACK_BOT_TOKEN": "xoxb-secret", "SLUICE_SLACK_TRANSPORT": transport}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as caught:
        load(environ)
    assert caught.value.lines == (
        f"{missing} is missing; SLUICE_SLACK_TRANSPORT={transport} needs it (or {missing}_FILE)",
    )


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush\n", encoding="utf-8")
    settings = loaded(monkeypatch, SLACK_SIGNING_SECRET_FILE=str(file))
    assert settings.slack_signing_secret is not None
    assert settings.slack_signing_secret.get_secret_value() == "hush"


def test_a_secret_in_two_places_or_in_no_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    twice = wrong(monkeypatch, SLACK_BOT_TOKEN_FILE=str(tmp_path))
    assert twice == ("SLUICE_SLACK_BOT_TOKEN_FILE and SLUICE_SLACK_BOT_TOKEN are both set; set one of them",)


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (line,) = wrong(monkeypatch, SLACK_SIGNING_SECRET_FILE=str(tmp_path / "none"))
    assert line == f"SLUICE_SLACK_SIGNING_SECRET_FILE={tmp_path / 'none'}: the file cannot be read (FileNotFoundError)"


def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch)
    assert "xoxb-secret" not in f"{settings!r} {settings}"
    assert "secret" not in " ".join(wrong(monkeypatch, LOOK="soon"))


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())
