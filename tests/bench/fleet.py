"""A thousand releases in the middle of their first stage: objects, database, messages, metrics."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from bot import orders
from bot.mesh.virtual_service import capture, edit
from bot.ports import Card
from bot.sandbox.cluster.client import DESTINATION_RULES, NAMESPACES, PODS, SERVICES, VIRTUAL_SERVICES, KubernetesClient
from bot.slack import cards
from storage.database import Database
from storage.messages import StoredMessage
from strategies.plan import Gate, MetricGate
from strategies.reasons import Refused
from strategies.release import Actor, Phase, Release, Role, Rules
from tests.bench.rig import CHANNEL, TOKEN
from tests.builders import a_plan, a_release, a_target, the_gates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mesh.documents import Document
    from bot.sandbox.slack import SlackStandIn
    from tests.bench.rig import Rig

NAMESPACE = "shop"
AT_ONCE = 24
LOOK = timedelta(seconds=10)
EDGES = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
RATE, SHARE = 100.0, 0.05


@dataclass(frozen=True)
class Member:
    """A release, and the VirtualService that it has written."""

    release: Release
    route: Document


def members(count: int, gates: int) -> list[Member]:
    """Releases of `count` services, each with this many metric gates, at 5 % for hours."""
    return [_member(f"svc-{number:04d}", gates) for number in range(count)]


def _member(service: str, gates: int) -> Member:
    now, target = datetime.now(UTC), a_target(service)
    plan = a_plan("5", "100", service=service)
    asked: tuple[Gate, ...] = (
        *_gates(gates),
        *(gate for gate in plan.stages[0].gates if not isinstance(gate, MetricGate)),
    )
    plan = replace(plan, stages=(replace(plan.stages[0], gates=asked), plan.stages[1]))
    original = route(service)
    captured = capture(original, target.routes[0], target)
    if isinstance(captured, Refused):
        raise AssertionError(captured.text)
    release = a_release(
        f"{service}-1",
        targets=(target,),
        plan=plan,
        rules=Rules(look=LOOK, deadline=timedelta(hours=6)),
        requester=Actor("U0ALICE", "alice", frozenset({Role.RELEASER})),
        channel=CHANNEL,
        created_at=now,
        phase=Phase.OBSERVING,
        entered_at=now,
        stage=0,
        stage_began_at=now,
        hold_until=now + timedelta(hours=5),
        wake_at=now + timedelta(hours=5),
        confirmed=frozenset({f"{NAMESPACE}/{service}"}),
        written=0,
        originals={target.routes[0].key: captured},
    )
    return settled(Member(release, original))


def settled(member: Member) -> Member:
    """The member with the route as its release wants it."""
    release = member.release
    written = edit(member.route, orders.orders(release, f"{NAMESPACE}/{release.target.service}"))
    if isinstance(written, Refused):
        raise AssertionError(written.text)
    return Member(release, written)


def _gates(count: int) -> tuple[MetricGate, ...]:
    errors, slowest = the_gates()
    return (errors, slowest, replace(slowest, metric="latency_p95"), replace(slowest, metric="latency_p50"))[:count]


def route(service: str) -> Document:
    """The route of a service before its first release."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": service, "namespace": NAMESPACE},
        "spec": {
            "hosts": [service],
            "http": [{"name": "main", "route": [{"destination": {"host": service, "subset": "v1"}}]}],
        },
    }


async def plant(rig: Rig, fleet: Sequence[Member], versions: Sequence[str] = ("v1", "v2")) -> None:
    """The objects of every service: a ready pod of each of these versions, and a route that carries the split."""
    async with KubernetesClient(rig.kubernetes, TOKEN) as client:
        await client.create(NAMESPACES, None, {"metadata": {"name": NAMESPACE}})
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(member: Member) -> None:
            async with turns:
                await _objects(client, member, versions)

        await asyncio.gather(*(one(member) for member in fleet))


async def _objects(client: KubernetesClient, member: Member, versions: Sequence[str]) -> None:
    service = member.release.target.service
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]
    subsets = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]
    meta = {"metadata": {"name": service, "namespace": NAMESPACE}}
    selector = {"spec": {"selector": {"app": service}, "ports": ports}}
    await client.create(SERVICES, NAMESPACE, {"apiVersion": "v1", "kind": "Service", **meta, **selector})
    rule = {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", **meta}
    await client.create(DESTINATION_RULES, NAMESPACE, {**rule, "spec": {"host": service, "subsets": subsets}})
    await client.create(VIRTUAL_SERVICES, NAMESPACE, member.route)
    for version in versions:
        await add_pod(client, service, version)


async def add_pod(client: KubernetesClient, service: str, version: str) -> None:
    """A ready pod of a version."""
    name, labels = f"{service}-{version}-0", {"app": service, "version": version}
    pod: Document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}}
    await client.create(PODS, NAMESPACE, {**pod, "spec": {"containers": [{"name": "app", "image": "app:1"}]}})
    conditions = [{"type": "Ready", "status": "True"}]
    await client.patch_status(PODS, NAMESPACE, name, {"phase": "Running", "conditions": conditions})


def remember(rig: Rig, fleet: Sequence[Member]) -> None:
    """Every release in the bot's database, with a root message that people can click on."""
    roots = rig.loop.run(_posted(rig.slack, [_root(member.release) for member in fleet]), 120)
    database = Database(rig.database)
    try:
        database.migrate()
        with database.transaction() as tx:
            for member, ts in zip(fleet, roots, strict=True):
                tx.releases.add(member.release)
                shown = StoredMessage(CHANNEL, ts, f"http://127.0.0.1/{ts}", member.release.revision)
                tx.messages.put(member.release.id, "root", shown)
    finally:
        database.close()


def _root(release: Release) -> dict[str, Any]:
    shown = Card(
        release=release,
        now=datetime.now(UTC),
        cluster="bench",
        looks=(),
        links={},
        mention_approvers=(),
        root=None,
    )
    return cards.root(shown, "/release").payload()


async def _posted(slack: SlackStandIn, bodies: Sequence[dict[str, Any]]) -> list[str]:
    slack.rates.enabled = False
    headers = {"Authorization": f"Bearer {slack.settings.bot_token}"}
    found = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for body in bodies:
            async with session.post(f"{slack.api_url}chat.postMessage", json={**body, "channel": CHANNEL}) as answer:
                found.append(str((await answer.json())["ts"]))
    slack.rates.enabled = True
    return found


class Page:
    """The counters of every service, as a Prometheus scrapes them from one place."""

    def __init__(self, fleet: Sequence[Member]) -> None:
        self._began = time.time() - 3600
        # The text between two figures does not change; a scrape only fills the figures in.
        self._lines = [line for member in fleet for line in _series(member.release.target.service)]

    async def serve(self, request: web.Request) -> web.Response:
        """The page now."""
        del request
        elapsed = time.time() - self._began
        text = "".join([f"{line}{rate * elapsed:.0f}\n" for line, rate in self._lines])
        return web.Response(text=f"# TYPE istio_requests_total counter\n{text}", content_type="text/plain")


def _series(service: str) -> list[tuple[str, float]]:
    host = f"{service}.{NAMESPACE}.svc.cluster.local"
    found: list[tuple[str, float]] = []
    for version, rate in (("v1", RATE * (1 - SHARE)), ("v2", RATE * SHARE)):
        common = (
            f'destination_service="{host}",destination_version="{version}",'
            f'destination_workload="{service}-{version}",response_code="200",response_flags="-",'
            f'grpc_response_status=""'
        )
        reporters = ("source", "destination")
        found.extend((f'istio_requests_total{{{common},reporter="{one}"}} ', rate) for one in reporters)
        for edge in EDGES:
            name = f'istio_request_duration_milliseconds_bucket{{{common},reporter="destination",le="{edge}"}} '
            found.append((name, rate * min(1.0, edge / 500)))
        last = f'istio_request_duration_milliseconds_bucket{{{common},reporter="destination",le="+Inf"}} '
        found.append((last, rate))
    return found
