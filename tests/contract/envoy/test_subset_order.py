"""A candidate without a subset comes and goes under load: no request finds no pods, by Envoy's own counters.

The time in which proxies learn is as long here as they take: the adapter's clock moves on when they have.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import aiohttp
import yaml

from bot.errors import Transient
from bot.mesh.istio import IstioMesh
from bot.mesh.kube_api import connect
from bot.ports import Preparation, RouteOrder, Written
from bot.sandbox.cluster.client import DESTINATION_RULES, VIRTUAL_SERVICES
from bot.sandbox.mesh.envoy_config import NAME
from bot.surveys import SurveyRequest
from strategies.release import Target
from strategies.routing import Split
from tests.builders import a_release
from tests.contract.envoy.api_servers import ApiServer, StandIn, change, eventually, weights
from tests.contract.envoy.bench import run
from tests.contract.envoy.test_demo import Scene, scene
from tests.contract.mesh.world import PushedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PROPAGATION = timedelta(minutes=10)  # longer than any test: nothing goes on by itself


@dataclass
class Stage:
    """The demonstration mesh without the candidate's subset, and the adapter beside it."""

    scene: Scene
    mesh: IstioMesh
    clock: PushedClock
    waits: int = 0

    async def subsets(self) -> list[str]:
        rule = await self.scene.client.get(DESTINATION_RULES, self.scene.place.namespace, "reviews")
        return [each["name"] for each in rule["spec"]["subsets"]]

    async def wait(self, asked: Transient) -> None:
        """As the worker does; what proxies are waited for is over once the one here knows all that was written."""
        if asked.retry_after is None:
            await asyncio.sleep(0.1)
            return
        self.waits += 1
        await eventually(self.is_told)
        self.clock.ahead += timedelta(seconds=asked.retry_after)

    async def is_told(self) -> bool:
        """Whether Envoy has every subset of the rule, and serves by the VirtualService as it is."""
        translator = self.scene.mesh._translator
        known = {cluster.name.subset for cluster in translator.state.clusters}
        route = await self.scene.client.get(VIRTUAL_SERVICES, self.scene.place.namespace, "reviews")
        return known >= set(await self.subsets()) and translator.served.get("reviews") == route

    async def has_forgotten(self) -> bool:
        """Whether Envoy has no subset left that the rule has not."""
        known = {cluster.name.subset for cluster in self.scene.mesh._translator.state.clusters}
        return "v2" not in known

    async def used(self, version: str, number: int) -> None:
        """Wait until so many more requests have come to a version."""
        wanted = (await self.scene.mesh.counters()).get(version, 0) + number

        async def are_there() -> bool:
            return (await self.scene.mesh.counters()).get(version, 0) >= wanted

        await eventually(are_there)

    async def write(self, order: RouteOrder) -> None:
        """Write as the worker does: again when the mesh asks to wait."""
        while True:
            try:
                written = await asyncio.to_thread(
                    self.mesh.set_route, f"{order.route.namespace}/reviews", lambda: [order]
                )
                assert isinstance(written, Written), written
                return
            except Transient as asked:
                await self.wait(asked)

    async def tidy(self, order: RouteOrder) -> None:
        """As the worker does."""
        while True:
            try:
                await asyncio.to_thread(self.mesh.tidy, [order])
                return
            except Transient as asked:
                await self.wait(asked)

    async def lost(self) -> int:
        """Requests that Envoy answered with 503 NC (no cluster) or 404 NR (no route)."""
        names = rf"^http\.{re.escape(NAME)}\.(no_route|no_cluster)$"
        url = f"{self.scene.mesh.envoy_admin_url}/stats"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params={"filter": names, "format": "json"}) as answer,
        ):
            found = await answer.json(content_type=None)
        assert len(found["stats"]) == 2
        return sum(int(each["value"]) for each in found["stats"])


@asynccontextmanager
async def stage(api: ApiServer, folder: Path) -> AsyncIterator[Stage]:
    async with scene(api, folder) as one:
        rule = await one.client.get(DESTINATION_RULES, one.place.namespace, "reviews")
        rule["spec"]["subsets"] = [each for each in rule["spec"]["subsets"] if each["name"] != "v2"]
        await one.client.replace(DESTINATION_RULES, one.place.namespace, rule)
        clock = PushedClock()
        mesh = IstioMesh(
            connect(str(kubeconfig(one, folder))),
            clock,
            namespaces=(one.place.namespace,),
            propagation=PROPAGATION,
        )
        mesh.start()
        try:
            await eventually(lambda: filled(mesh))
            one.mesh.load.rate = 200
            yield Stage(one, mesh, clock)
        finally:
            await asyncio.to_thread(mesh.stop)


async def filled(mesh: IstioMesh) -> bool:
    rules = mesh._cache.destination_rules() if mesh._cache.is_synced else []
    return any([each["name"] for each in rule["spec"]["subsets"]] == ["v1"] for rule in rules)


def kubeconfig(one: Scene, folder: Path) -> Path:
    cluster = {"server": one.place.url} | ({"certificate-authority": str(one.place.ca)} if one.place.ca else {})
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "part", "cluster": cluster}],
        "users": [{"name": "part", "user": {"token": one.place.token}}],
        "contexts": [{"name": "part", "context": {"cluster": "part", "user": "part"}}],
        "current-context": "part",
    }
    path = folder / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def test_a_subset_is_added_used_and_removed_without_a_lost_request(api: ApiServer, tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(api, tmp_path) as one:
            target = one.mesh.survey(SurveyRequest("reviews", one.scene.place.namespace, "v2"))
            assert isinstance(target, Target), target
            release = a_release(targets=(target,))
            prepared = await asyncio.to_thread(one.mesh.prepare, release)
            assert isinstance(prepared, Preparation), prepared
            (route,) = target.routes
            order = RouteOrder(release.id, 1, route, target, None, prepared.originals[route.key])
            for revision, (share, number) in enumerate(((5, 10), (50, 50), (100, 100)), 2):
                split = Split.between("v1", "v2", Decimal(share))
                order = replace(order, revision=revision, split=split, expected=order.split)
                await one.write(order)
                await one.used("v2", number)
            assert one.waits == 1
            back = replace(order, revision=9, split=None, expected=order.split, force=True)
            await one.write(back)
            await one.tidy(back)
            assert one.waits == 2
            assert await one.subsets() == ["v1"]
            await eventually(one.has_forgotten)
            await one.used("v1", 100)
            assert (await one.lost(), (await one.scene.mesh.counters())["failed"]) == (0, 0)

    run(story())


def test_a_route_before_its_subset_loses_requests(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(StandIn(), tmp_path) as one:
            await change(one.scene.client, one.scene.place.namespace, weights(50, 50))

            async def are_lost() -> bool:
                return await one.lost() > 10

            await eventually(are_lost)

    run(story())
