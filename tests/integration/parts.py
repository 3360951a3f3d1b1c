"""Builds worlds from the real parts of the session."""

from __future__ import annotations

import itertools
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from bot.sandbox.mesh.demo import DemoMesh
from bot.sandbox.mesh.load import LOAD
from bot.sandbox.prometheus import RealPrometheus, Target
from bot.sandbox.slack import Delivery, Settings, SlackStandIn
from bot.sandbox.tour.splits import Splits
from tests.integration.bot_child import BotChild
from tests.integration.gate import Gate
from tests.integration.world import World
from tests.parts.service_account import SLUICE
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.integration.loop_thread import LoopThread
    from tests.parts.kube_apiserver import KubeApiServer
    from tests.parts.service_account import ServiceAccount

NUMBERS = itertools.count(1)
PROFILE: Mapping[str, Any] = {
    "service": "reviews",
    "hold": "3s",
    "look": "1s",
    "approve": "every",
    "approvers": ["S0APPROVE", "U0ALICE"],
    # A stage lasts seconds here and sees a few dozen requests, so the bounds are wide.
    "metrics": {"errors": {"limit": "5%", "allowed": "+2pp"}, "latency_p95": {"allowed": "+300%"}},
    "min_requests": 10,
    "deadline": "5m",
    "soak": "0s",
    # The shop's two pods of v2 are enough for all that its three of v1 had.
    "capacity": 60,
}
SCALED: Mapping[str, Any] = {"scale": True, "capacity": 100}
ROLES = {
    "releaser": ["U0ALICE"],
    "approver": ["S0APPROVE", "U0ALICE"],
    "override": ["U0BOB"],
    "on_call": ["U0CAROL"],
}


@dataclass
class Parts:
    """What a session starts once; Prometheus scrapes whatever mesh runs."""

    loop: LoopThread
    api: KubeApiServer
    account: ServiceAccount
    meshes: list[DemoMesh] = field(default_factory=list)
    prometheus: RealPrometheus = field(init=False)

    def __post_init__(self) -> None:
        self.prometheus = RealPrometheus(self._targets)

    def _targets(self) -> list[Target]:
        return [Target(one.job, one.url, dict(one.labels)) for mesh in self.meshes for one in mesh.scrape_targets()]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a story's world differs from the others."""

    profile: Mapping[str, Any] = field(default_factory=dict)
    database: str = ""
    delivery: Delivery = Delivery.SOCKET
    rate: float = LOAD  # requests a second
    roles: tuple[str, ...] = (SLUICE,)  # of deploy/rbac.yaml, bound to the bot's account in the story's namespace
    is_everywhere: bool = False  # the roles are bound as that file and the chart do it, and all namespaces are watched
    is_in_pod: bool = False  # no kubeconfig: what the kubelet gives a pod


@contextmanager
def world(parts: Parts, folder: Path, wish: Wish) -> Iterator[World]:
    """A world whose mesh serves and whose bot is ready; all of it is gone afterwards."""
    namespace = f"shop-{next(NUMBERS)}"
    # How soon it answers is measured by the bench; here it is enough that it does.
    loop, slack, gate = parts.loop, SlackStandIn(Settings(acknowledge_within=PATIENCE / 4)), Gate(parts.api.url)
    mesh = DemoMesh(parts.api.url, parts.api.token, parts.api.ca_path, namespace=namespace, folder=folder / "mesh")
    (folder / "mesh").mkdir()
    splits = Splits(mesh, lambda _: None)
    with ExitStack() as stack:
        # What a block of the stack began is ended even when something before it does not end well.
        loop.run(slack.start())
        stack.callback(lambda: loop.run(slack.stop()))
        loop.run(gate.open())
        stack.callback(lambda: loop.run(gate.shut()))
        database = wish.database or f"sqlite:///{folder / 'sluice.db'}"
        files = written(folder, namespace, parts, gate.url, wish.profile)
        settings = files | neighbours(slack, parts.prometheus.url, database, wish.delivery, namespace)
        bot = BotChild(settings | ({"SLUICE_NAMESPACES": ""} if wish.is_everywhere else {}), folder)
        if wish.is_in_pod:
            bot.in_pod(parts.account.token(), parts.api.ca_path, gate.url)
        if wish.delivery is Delivery.HTTP:
            slack.deliver_by_http(f"{bot.url}/slack/events")
        loop.run(mesh.start())
        stack.callback(lambda: loop.run(mesh.stop()))
        mesh.load.rate = wish.rate
        parts.meshes.append(mesh)
        stack.callback(lambda: parts.meshes.remove(mesh))
        stack.callback(loop.spawn(splits.follow()))
        stack.callback(bot.stop)
        stack.enter_context(bound(parts.account, wish.roles, None if wish.is_everywhere else namespace))
        bot.start()
        bot.ready()
        story = World(loop, parts.api, gate, slack, mesh, bot, splits, namespace, database)
        stack.callback(story.close)
        yield story
        code = bot.stop()
        assert code == 0, f"the bot ended with {code}:\n{bot.log[-3000:]}"


@contextmanager
def bound(account: ServiceAccount, roles: Sequence[str], namespace: str | None) -> Iterator[None]:
    """The roles are the account's, in one namespace or in all."""
    bindings = [account.bind(role, namespace) for role in roles]
    yield
    for binding in bindings:
        account.unbind(binding)


def written(folder: Path, namespace: str, parts: Parts, server: str, profile: Mapping[str, Any]) -> dict[str, str]:
    """The files the bot reads, and the settings that name them; `server` is where it finds the API server."""
    (folder / "profiles").mkdir()
    document = {**PROFILE, "namespace": namespace, **profile}
    (folder / "profiles" / "reviews.yaml").write_text(yaml.safe_dump(document))
    (folder / "roles.yaml").write_text(yaml.safe_dump(ROLES))
    config = yaml.safe_load(parts.api.kubeconfig_path.read_text())
    config["clusters"][0]["cluster"]["server"] = server
    config["users"][0]["user"]["token"] = parts.account.token()
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    return {
        "SLUICE_PROFILES": str(folder / "profiles"),
        "SLUICE_ROLES": str(folder / "roles.yaml"),
        "SLUICE_KUBECONFIG": str(folder / "kubeconfig"),
    }


def neighbours(
    slack: SlackStandIn, prometheus: str, database: str, delivery: Delivery, namespace: str
) -> dict[str, str]:
    """The settings that say where everybody is."""
    secrets = (
        {"SLUICE_SLACK_SIGNING_SECRET": slack.settings.signing_secret}
        if delivery is Delivery.HTTP
        else {"SLUICE_SLACK_APP_TOKEN": slack.settings.app_token}
    )
    return secrets | {
        "SLUICE_DATABASE": database,
        "SLUICE_NAMESPACES": namespace,
        "SLUICE_PROMETHEUS_URL": prometheus,
        "SLUICE_SLACK_API_URL": slack.api_url,
        "SLUICE_SLACK_TRANSPORT": delivery.value,
        "SLUICE_SLACK_BOT_TOKEN": slack.settings.bot_token,
        "SLUICE_SLACK_CHANNEL": "C0RELEASES",
        "SLUICE_CLUSTER": "integration",
        "SLUICE_PROPAGATION": "200ms",
    }
