"""A candidate without a subset comes and goes under load: no request finds no pods, by Envoy's own counters."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import aiohttp
import yaml

from bot.errors import Transient
from bot.mesh.istio import IstioMesh
from bot.mesh.kube_api import connect
from bot.ports import Preparation, RouteOrder, Written
from bot.sandbox.cluster.client import DESTINATION_RULES
from bot.sandbox.mesh.envoy_config import NAME
from bot.surveys import SurveyRequest
from strategies.release import Target
from strategies.routing import Split
from tests.builders import a_release
from tests.contract.envoy.api_servers import ApiServer, StandIn, change, eventually, weights
from tests.contract.envoy.bench import run
from tests.contract.envoy.test_demo import Scene, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PROPAGATION = timedelta(seconds=0.5)  # the translator gathers changes for 0.1 s


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Stage:
    """The demonstration mesh without the candidate's subset, and the adapter beside it."""

    scene: Scene
    mesh: IstioMesh

    async def subsets(self) -> list[str]:
        rule = await self.scene.client.get(DESTINATION_RULES, self.scene.place.namespace, "reviews")
        return [each["name"] for each in rule["spec"]["subsets"]]

    async def write(self, order: RouteOrder) -> None:
        """Write as the worker does: again when the mesh asks to wait."""
        while True:
            try:
                written = await asyncio.to_thread(
                    self.mesh.set_route, f"{order.route.namespace}/reviews", lambda: [order]
                )
                assert isinstance(written, Written), written
                return
            except Transient as wait:
                await asyncio.sleep(wait.retry_after or 0.1)

    async def tidy(self, order: RouteOrder) -> None:
        """As the worker does."""
        while True:
            try:
                await asyncio.to_thread(self.mesh.tidy, [order])
                return
            except Transient as wait:
                await asyncio.sleep(wait.retry_after or 0.1)

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
        mesh = IstioMesh(
            connect(str(kubeconfig(one, folder))),
            RealClock(),
            namespaces=(one.place.namespace,),
            propagation=PROPAGATION,
        )
        mesh.start()
        try:
            await eventually(lambda: filled(mesh))
            one.mesh.load.rate = 200
            yield Stage(one, mesh)
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
            for revision, share in enumerate((5, 50, 100), 2):
                split = Split.between("v1", "v2", Decimal(share))
                order = replace(order, revision=revision, split=split, expected=order.split)
                await one.write(order)
                await asyncio.sleep(0.5)
            assert (await one.scene.mesh.counters())["v2"] > 50
            back = replace(order, revision=9, split=None, expected=order.split, force=True)
            await one.write(back)
            await one.tidy(back)
            assert await one.subsets() == ["v1"]
            await asyncio.sleep(0.5)
            assert one.scene.mesh.load.total.sent > 300
            assert (await one.lost(), (await one.scene.mesh.counters())["failed"]) == (0, 0)

    run(story())


def test_a_route_before_its_subset_loses_requests(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(StandIn(), tmp_path) as one:
            await change(one.scene.client, one.scene.place.namespace, weights(50, 50))
            await asyncio.sleep(1)
            assert await one.lost() > 10

    run(story())
