"""One shop, one Slack, one Prometheus, one database, and the replicas before it."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from bot.sandbox.kubernetes import kubeconfig
from bot.sandbox.prometheus.builtin import BuiltinPrometheus
from bot.sandbox.slack import Channel, Settings, SlackStandIn, User, UserGroup
from bot.sandbox.slack.workspace import PEOPLE
from storage.database import Database
from tests.chaos.cluster import Cluster
from tests.chaos.doors import Call, Door
from tests.chaos.ledger import Ledger
from tests.chaos.replicas import Replica
from tests.chaos.shop import NAMESPACE, ROLES, Service, service
from tests.chaos.traffic import Traffic
from tests.integration.bot_child import BotChild
from tests.integration.gate import Gate
from tests.integration.loop_thread import LoopThread
from tests.parts.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

MORE_PEOPLE = (User("U0DAVE", "dave", "Dave Dorn"), User("U0ERIN", "erin", "Erin Engel"))
GROUPS = (
    UserGroup("S0APPROVE", "release-approvers", "Release approvers", ("U0BOB", "U0ERIN")),
    UserGroup("S0ONCALL", "on-call", "On-call", ("U0CAROL",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command asks for."""

    seed: int
    minutes: float
    replicas: int = 2
    database: str = "postgresql"
    services: int = 10


@dataclass(slots=True)
class World:
    """Everything but what happens in it."""

    folder: Path
    loop: LoopThread
    services: tuple[Service, ...]
    cluster: Cluster
    slack: SlackStandIn
    ledger: Ledger
    database: Database
    url: str
    replicas: list[Replica]
    calls: list[Call] = field(default_factory=list)

    def write_profile(self, one: Service) -> None:
        """The profile as it is now, in one piece."""
        path = self.folder / "profiles" / f"{one.name}.yaml"
        part = path.with_suffix(".part")
        part.write_text(yaml.safe_dump(one.profile))
        part.replace(path)


@contextmanager
def world(wish: Wish, folder: Path) -> Iterator[World]:
    """All of it, started; all of it is gone afterwards."""
    chance = random.Random(wish.seed)
    services = tuple(service(n, chance) for n in range(wish.services))
    loop = LoopThread()
    with ExitStack() as stack:
        stack.callback(loop.close)
        url = (
            stack.enter_context(running_postgres())
            if wish.database == "postgresql"
            else f"sqlite:///{folder}/sluice.db"
        )
        cluster, slack = Cluster(services), _slack(services)
        prometheus = BuiltinPrometheus()
        for part in (cluster, slack):
            loop.run(part.start())
            stack.callback(_stopped, loop, part.stop)
        stack.callback(loop.spawn(Traffic(prometheus.store, cluster, services, wish.seed).run()))
        calls: list[Call] = []
        replicas = [
            _replica(n, folder, loop, (url, cluster, prometheus, slack), calls, stack) for n in range(wish.replicas)
        ]
        database = stack.enter_context(Database(url))
        found = World(
            folder, loop, services, cluster, slack, Ledger(folder / "driver.log"), database, url, replicas, calls
        )
        (folder / "profiles").mkdir()
        (folder / "roles.yaml").write_text(yaml.safe_dump(ROLES))
        for one in services:
            found.write_profile(one)
        for replica in replicas:
            stack.callback(_ended, replica)
            replica.start()
            replica.child.ready()
        yield found


def _stopped(loop: LoopThread, stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop.run(stop())


def _ended(replica: Replica) -> None:
    if not replica.child.has_ended():
        replica.child.kill()


def _slack(services: tuple[Service, ...]) -> SlackStandIn:
    channels = [Channel("C0RELEASES", "releases"), *(Channel(one.channel, one.name) for one in services)]
    return SlackStandIn(Settings(rate_limits=False), users=(*PEOPLE, *MORE_PEOPLE), groups=GROUPS, channels=channels)


def _replica(
    number: int,
    folder: Path,
    loop: LoopThread,
    neighbours: tuple[str, Cluster, BuiltinPrometheus, SlackStandIn],
    calls: list[Call],
    stack: ExitStack,
) -> Replica:
    url, cluster, prometheus, slack = neighbours
    name = f"r{number}"
    home = folder / name
    home.mkdir()
    doors = [
        Door(f"{name} kubernetes", cluster.api.application(), calls.append),
        Door(f"{name} prometheus", prometheus.application(), lambda _: None),
    ]
    for door in doors:
        loop.run(door.open())
        stack.callback(_stopped, loop, door.close)
    gate = None
    if url.startswith("postgresql"):
        gate = Gate(url)
        loop.run(gate.open())
        stack.callback(lambda: loop.run(gate.shut()))
        url = f"postgresql+psycopg://sluice@{gate.url.partition('://')[2]}/postgres"
    (home / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(doors[0].url, None)))
    settings = {
        "SLUICE_DATABASE": url,
        "SLUICE_NAMESPACES": NAMESPACE,
        "SLUICE_PROFILES": str(folder / "profiles"),
        "SLUICE_ROLES": str(folder / "roles.yaml"),
        "SLUICE_KUBECONFIG": str(home / "kubeconfig"),
        "SLUICE_PROMETHEUS_URL": doors[1].url,
        "SLUICE_SLACK_API_URL": slack.api_url,
        "SLUICE_SLACK_TRANSPORT": "socket",
        "SLUICE_SLACK_BOT_TOKEN": slack.settings.bot_token,
        "SLUICE_SLACK_APP_TOKEN": slack.settings.app_token,
        "SLUICE_SLACK_CHANNEL": "C0RELEASES",
        "SLUICE_CLUSTER": "chaos",
        "SLUICE_PROPAGATION": "200ms",
    }
    return Replica(name, BotChild(settings, home), doors[0], doors[1], gate)
