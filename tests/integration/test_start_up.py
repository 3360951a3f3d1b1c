"""A start that cannot work says why in one sentence; a neighbour that is late is waited for."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.slack import Delivery, Settings, SlackStandIn
from tests.integration.bot_child import BotChild, inherited, refused_start
from tests.integration.gate import Gate
from tests.integration.parts import bound, neighbours, written
from tests.parts.service_account import SLUICE
from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.loop_thread import LoopThread
    from tests.integration.parts import Parts

USAGE, REFUSED, UNREACHABLE = 2, 3, 5
PLAIN = ("services", "pods", "deployments.apps", "resourcequotas", "horizontalpodautoscalers.autoscaling")


@pytest.fixture
def slack(loop: LoopThread) -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn(Settings())
    loop.run(stand_in.start())
    yield stand_in
    loop.run(stand_in.stop())


@pytest.fixture(scope="module")
def home(parts: Parts) -> Iterator[str]:
    """A namespace where the bot's account has its role, and nothing else is."""
    namespace = "shop-start"
    parts.account.settle(namespace)
    with bound(parts.account, [SLUICE], namespace):
        yield namespace


@pytest.fixture
def settings(parts: Parts, home: str, slack: SlackStandIn, tmp_path: Path) -> dict[str, str]:
    """Everything right; each test spoils one thing."""
    files = written(tmp_path, home, parts, parts.api.url, {})
    url, database = parts.prometheus.url, f"sqlite:///{tmp_path / 'sluice.db'}"
    return files | neighbours(slack, url, database, Delivery.SOCKET, home)


def test_a_preflight_reads_the_same_settings_and_says_what_is_in_its_way(
    settings: dict[str, str], parts: Parts
) -> None:
    assert preflight(settings) == (REFUSED, "There is no service reviews in shop-start. Watched: namespace shop-start.")
    assert preflight(settings | {"SLUICE_LOOK": "soon"})[0] == USAGE
    config = Path(settings["SLUICE_KUBECONFIG"])
    config.write_text(config.read_text().replace(parts.api.url, "https://127.0.0.1:9"))
    code, said = preflight(settings)
    assert (code, said[:42]) == (UNREACHABLE, "Kubernetes API at https://127.0.0.1:9 has ")


def preflight(settings: dict[str, str]) -> tuple[int, str]:
    """The exit code of `sluice preflight reviews`, and what it says without the reason's code."""
    command = [sys.executable, "-m", "bot", "preflight", "reviews"]
    environment = inherited() | settings
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert said.stdout == ""
    return said.returncode, said.stderr.strip().removesuffix(" (UNKNOWN_SERVICE)")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("SLUICE_LOOK", "soon", "90s"),
        ("SLUICE_PROMETHEUS_URL", "prometheus:9090", "http://"),
        ("SLUICE_TIMEZONE", "Berlin", "Europe/Berlin"),
        ("SLUICE_SLACK_TRANSPORT", "pigeon", "socket"),
        ("SLUICE_LISTEN", "8080", "HOST:PORT"),
        ("SLUICE_NAMESPACE", "shop", "SLUICE_NAMESPACES"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name_its_value_and_what_is_allowed(
    settings: dict[str, str], tmp_path: Path, name: str, value: str, allowed: str
) -> None:
    code, said = refused_start(settings | {name: value}, tmp_path)
    assert code == USAGE
    assert len(said.splitlines()) == 1 and name in said and allowed in said
    assert value in said or name == "SLUICE_NAMESPACE"


def test_a_missing_secret_is_named_and_none_is_shown(settings: dict[str, str], tmp_path: Path) -> None:
    token = settings["SLUICE_SLACK_BOT_TOKEN"]
    code, said = refused_start(settings | {"SLUICE_SLACK_APP_TOKEN": ""}, tmp_path)
    assert (code, len(said.splitlines())) == (USAGE, 1)
    assert "SLUICE_SLACK_APP_TOKEN" in said and token not in said


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("roles.yaml", "aprover: [U0BOB]\n", "approver"),
        ("kubeconfig", "not: a kubeconfig\n", "kubeconfig"),
    ],
)
def test_an_unreadable_file_stops_the_start_with_its_name_and_the_nearest_right_word(
    settings: dict[str, str], tmp_path: Path, file: str, content: str, named: str
) -> None:
    (tmp_path / file).write_text(content)
    code, said = refused_start(settings, tmp_path)
    assert code == USAGE, said
    assert len(said.splitlines()) == 1 and named in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("content", "hint"),
    [("service: reviews\nnamespace: shop\nholt: 10m\n", "did you mean hold?"), ("service: [", "line 1")],
)
def test_an_unreadable_profile_is_told_and_its_service_is_not_released_by_defaults(
    settings: dict[str, str], parts: Parts, slack: SlackStandIn, tmp_path: Path, content: str, hint: str
) -> None:
    (tmp_path / "profiles" / "reviews.yaml").write_text(content)
    with started(settings, tmp_path) as bot:
        bot.ready()
        sentence = next(one for one in told(bot, "reviews.yaml") if "reviews.yaml" in one)
        assert hint in sentence and sentence in bot.log
        parts.loop.run(slack.command("alice", "/release start reviews v2"))
        eventually(lambda: bool(parts.loop.read(lambda: slack.messages("alice"))))
        answer = parts.loop.read(lambda: slack.messages("alice"))[-1]
        assert answer["ephemeral"] and sentence in answer["text"]


def test_a_kubeconfig_that_is_not_there_stops_the_start(settings: dict[str, str], tmp_path: Path) -> None:
    code, said = refused_start(settings | {"SLUICE_KUBECONFIG": str(tmp_path / "nowhere")}, tmp_path)
    assert (code, len(said.splitlines())) == (USAGE, 1)
    assert "nowhere" in said


def test_a_database_that_does_not_answer_ends_the_start_as_an_unreachable_neighbour(
    settings: dict[str, str], tmp_path: Path
) -> None:
    url = "postgresql+psycopg://sluice:secret-word@127.0.0.1:9/sluice"
    code, said = refused_start(settings | {"SLUICE_DATABASE": url}, tmp_path)
    assert (code, len(said.splitlines())) == (UNREACHABLE, 1)
    assert "database" in said and "secret-word" not in said


def test_a_bot_without_rights_names_each_watch_and_begins_once_they_are_bound(
    settings: dict[str, str], parts: Parts, slack: SlackStandIn, tmp_path: Path
) -> None:
    parts.account.settle("shop-bare")
    with started(settings | {"SLUICE_NAMESPACES": "shop-bare"}, tmp_path) as bot:
        for watched in ("virtualservices.networking.istio.io", "destinationrules.networking.istio.io", *PLAIN):
            sentence = next(one for one in told(bot, f"may not list {watched}") if watched in one)
            assert "in namespace shop-bare; bind the role sluice of deploy/rbac.yaml" in sentence
            assert sentence[:-1].split(" refuses: ")[-1] in bot.log
        assert not bot.is_ready()
        # Socket Mode may connect a moment later than all that.
        eventually(lambda: parts.loop.run(slack.command("alice", "/release plan reviews v2")).acknowledged)
        eventually(
            lambda: any("may not list pods" in one["text"] for one in parts.loop.read(lambda: slack.messages("alice")))
        )
        with bound(parts.account, [SLUICE], "shop-bare"):
            bot.ready()


def test_neighbours_that_are_late_are_each_named_once_and_waited_for(
    parts: Parts, settings: dict[str, str], slack: SlackStandIn, tmp_path: Path
) -> None:
    cluster, prometheus = born_shut(parts, parts.api.url), born_shut(parts, parts.prometheus.url)
    config = tmp_path / "kubeconfig"
    config.write_text(config.read_text().replace(parts.api.url, cluster.url))
    parts.loop.run(slack.refuse_connections())
    with started(settings | {"SLUICE_PROMETHEUS_URL": prometheus.url}, tmp_path) as bot:
        for neighbour in ("Kubernetes API", "Socket Mode", "Prometheus at"):
            sentence = next(one for one in told(bot, neighbour) if neighbour in one)
            assert "refused" in sentence or "unreachable" in sentence
        assert not bot.is_ready()
        parts.loop.run(cluster.open())
        parts.loop.run(slack.accept_connections())
        bot.ready()
        parts.loop.run(prometheus.open())
        eventually(lambda: told(bot) == [])
    for gate in (cluster, prometheus):
        parts.loop.run(gate.shut())


def test_prometheus_that_is_away_keeps_nobody_from_working(
    parts: Parts, settings: dict[str, str], tmp_path: Path
) -> None:
    gate = born_shut(parts, parts.prometheus.url)
    with started(settings | {"SLUICE_PROMETHEUS_URL": gate.url}, tmp_path) as bot:
        bot.ready()
        assert told(bot, "Prometheus at")


def test_a_wrong_app_token_is_told_with_the_setting_to_check(settings: dict[str, str], tmp_path: Path) -> None:
    with started(settings | {"SLUICE_SLACK_APP_TOKEN": "xapp-wrong"}, tmp_path) as bot:
        sentence = next(one for one in told(bot, "refuses Socket Mode") if "Socket Mode" in one)
        assert "SLUICE_SLACK_APP_TOKEN" in sentence and not bot.is_ready()


def born_shut(parts: Parts, url: str) -> Gate:
    """A gate whose address is known and where nobody answers."""
    gate = Gate(url)
    parts.loop.run(gate.open())
    parts.loop.run(gate.shut())
    return gate


@contextmanager
def started(settings: dict[str, str], folder: Path) -> Iterator[BotChild]:
    """A bot that was started, whatever it finds."""
    bot = BotChild(settings, folder)
    bot.start()
    try:
        yield bot
    finally:
        code = bot.stop()
    assert code == 0, bot.log[-2000:]


def told(bot: BotChild, about: str = "") -> list[str]:
    """The sentences of `/readyz`, once exactly one of them is about somebody."""
    found: list[str] = []

    def holds() -> bool:
        found[:] = (bot.readiness() or {"reasons": []})["reasons"]
        return not about or len([reason for reason in found if about in reason]) == 1

    eventually(holds)
    return found


def eventually(holds: Callable[[], bool]) -> None:
    assert comes_true(holds, every=0.1), "it never came true"
