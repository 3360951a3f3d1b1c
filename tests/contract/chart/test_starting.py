"""The rendered files, mounted as the kubelet does, and the rendered environment, read by the bot's own loaders."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bot.profiles import Profiles, read
from bot.settings import Settings, Transport, WrongSettings, load
from bot.slack import roles
from strategies.release import Role
from tests.contract.chart.pods import Pod
from tests.contract.chart.rendering import Helm, Values, example
from tests.unit.deploy.files import text

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Settings]

SHOP = {"service": "reviews", "namespace": "shop"}
# What one reader of YAML or another takes for something else than a text where it has no quotes.
NUMBERS = ["22:00", "12:30:45.5", "1e3", "1_000", "0x1f", "010", "0o7", ".5", "1.", "+1", ".inf", "2026-12-01"]
WORDS = [
    "no",
    "y",
    "~",
    "null",
    "",
    "#0",
    "a: b",
    "- a",
    "{a}",
    "[a]",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    " a ",
    "a #b",
]
QUERY = 'shop_orders_total{version="{{version}}"} # "50"'
ODD: Values = {
    **SHOP,
    "version_label": "on",
    "channel": "0123",
    "routes": [{"virtual_service": "reviews", "http": [*NUMBERS, *WORDS], "tcp": ["#0"]}],
    "steps": [0.1, "2.5%", 100],
    "hold": "10m",
    "approvers": ["U0ALICE"],
    "min_requests": 123456789012,
    "metrics": {
        "errors": {"limit": "0.1%", "allowed": "+0.1pp"},
        "orders": {
            "query": 'shop_orders_total{version="{{version}}"} # "50"',
            "kind": "counts",
            "better": "higher",
            "allowed": "-2%",
        },
    },
    "mixed_versions": False,
    "links": {"dashboard": "https://grafana.example.com/?a=1&b='2'", "note": "two\nlines: yes\n"},
}


@pytest.fixture
def start(helm: Helm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """The settings of a pod with these values."""

    def started(values: Values | None = None, *sets: str) -> Settings:
        environment = Pod(helm.rendered(values, sets=sets), tmp_path / "pod").environment()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load(environment)

    return started


def profiles(settings: Settings) -> Profiles:
    """The profiles in the pod, none of them in trouble."""
    found = Profiles(settings.profiles)
    assert found.troubles() == ()
    return found


def test_the_pod_of_the_readme_starts_with_its_settings_profiles_and_roles(start: Start) -> None:
    settings = start(example())
    assert (settings.cluster, settings.timezone) == ("production-eu", "Europe/Berlin")
    assert settings.database == "postgresql://sluice@db.example/sluice"
    assert settings.slack_app_token is not None and settings.slack_app_token.get_secret_value() == "xapp-1"
    profile = profiles(settings).find("reviews")
    assert profile is not None and profile.approvers == ("S0SHOPLEADS",)
    assert settings.roles is not None
    assert roles.read(settings.roles.read_text(), "roles.yaml").holders(Role.OVERRIDE) == {"U0ALICE"}


def test_the_pod_of_the_defaults_starts_without_profiles_and_lets_everybody_look(start: Start) -> None:
    settings = start()
    assert profiles(settings).services() == ()
    assert settings.roles is not None
    read = roles.read(settings.roles.read_text(), "roles.yaml")
    assert read.of(frozenset({"U0BOB"})) == {Role.VIEWER}


def test_signed_http_and_hooks_are_taken(start: Start) -> None:
    values: Values = {
        "slack": {"transport": "http"},
        "hooks": {"secret": "sluice-hooks"},
        "settings": {"hooks_hosts": ["smoke.example.com", "b.example"]},
    }
    settings = start(values)
    assert settings.slack_transport is Transport.HTTP
    assert settings.hooks_hosts == ("smoke.example.com", "b.example")
    assert settings.hooks_token is not None and settings.hooks_token.get_secret_value() == "t0ken"


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("cluster", 'it\'s "EU": 1, # {{ .Values }}', None),
        ("cluster", "on", None),
        ("slack_channel", "", None),
        ("namespaces", "shop,checkout", ("shop", "checkout")),
        ("namespaces", ["shop", "checkout"], ("shop", "checkout")),
        ("namespaces", [], ()),
        ("evidence_days", 3650, None),
        ("look", "1m30s", timedelta(seconds=90)),
        ("propagation", "0", timedelta(0)),
        ("slack_command", "/ship", None),
    ],
)
def test_a_setting_arrives_as_it_was_written(start: Start, name: str, value: Any, taken: Any) -> None:
    settings = start({"settings": {name: value}})
    assert getattr(settings, name) == (value if taken is None else taken)


def test_a_setting_of_the_command_line_arrives_too(start: Start) -> None:
    assert start(None, "settings.evidence_days=1000").evidence_days == 1000


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("look", "soon", "SLUICE_LOOK=soon: 'soon' is not a length of time such as"),
        ("timezone", "Berlin", "SLUICE_TIMEZONE=Berlin: must be an IANA time zone"),
        ("prometheus_url", "prometheus:9090", "SLUICE_PROMETHEUS_URL=prometheus:9090: must be a URL"),
        ("slack_command", "release", "SLUICE_SLACK_COMMAND=release: must be one word that begins with /"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_sentence(start: Start, name: str, value: str, said: str) -> None:
    with pytest.raises(WrongSettings) as wrong:
        start({"settings": {name: value}})
    assert len(wrong.value.lines) == 1
    assert wrong.value.lines[0].startswith(said)


def test_quotes_and_numbers_of_a_profile_survive(start: Start) -> None:
    settings = start({"profiles": {"reviews": ODD}})
    profile = profiles(settings).find("reviews")
    assert profile is not None
    assert (profile.version_label, profile.channel, profile.min_requests) == ("on", "0123", 123456789012)
    assert profile.routes[0].named().http == (*NUMBERS, *WORDS)
    assert profile.steps == (Decimal("0.1"), Decimal("2.5"), Decimal(100))
    assert profile.links == ODD["links"]
    assert profile.metrics["orders"].query == QUERY
    assert settings.profiles is not None
    assert yaml.safe_load((settings.profiles / "reviews.yaml").read_text()) == ODD


def test_every_key_of_a_profile_means_the_same_through_the_chart(start: Start) -> None:
    block = re.search(r"```yaml\n(service: reviews.*?)```", text("README.md"), re.DOTALL)
    assert block is not None
    settings = start({"profiles": {"reviews": yaml.safe_load(block[1])}})
    assert profiles(settings).find("reviews") == read("reviews.yaml", block[1])


def test_roles_may_be_one_person_several_or_nobody(start: Start) -> None:
    settings = start({"roles": {"viewer": ["S0ALL", "U0BOB"], "releaser": "U0ALICE", "approver": [], "override": None}})
    assert settings.roles is not None
    found = roles.read(settings.roles.read_text(), "roles.yaml")
    assert found.holders(Role.VIEWER) == {"S0ALL", "U0BOB"}
    assert found.of(frozenset({"U0ALICE"})) == {Role.RELEASER}
    assert found.holders(Role.APPROVER) | found.holders(Role.OVERRIDE) == frozenset()


def test_a_changed_profile_reaches_the_running_pod(helm: Helm, tmp_path: Path) -> None:
    pod = Pod(helm.rendered({"profiles": {"reviews": {**SHOP, "quorum": 1}}}), tmp_path / "pod")
    running = Profiles(Path(pod.environment()["SLUICE_PROFILES"]))
    after = helm.rendered({"profiles": {"reviews": {**SHOP, "quorum": 2}, "ratings": {**SHOP, "service": "ratings"}}})
    pod.mounts["profiles"].change(after.one("ConfigMap", "sluice-profiles")["data"])
    profile = running.find("reviews")
    assert profile is not None and profile.quorum == 2
    assert running.services() == ("ratings", "reviews")
