"""The whole demonstration mesh, on the sandbox's API server and on a real one."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.cluster.client import Document, KubernetesClient
from bot.sandbox.mesh.demo import DemoMesh
from tests.contract.envoy.api_servers import ApiServer, Reached, StandIn, change, eventually, weights
from tests.contract.envoy.bench import run


@dataclass
class Scene:
    mesh: DemoMesh
    client: KubernetesClient
    place: Reached

    async def shares(self, v1: int, v2: int) -> None:
        """Write the weights and wait until the proxy serves by them."""
        version = await change(self.client, self.place.namespace, weights(v1, v2))

        async def are_served() -> bool:
            served = self.mesh.snapshot(1)["served_virtual_services"].get("reviews", {})
            return int(served.get("metadata", {}).get("resourceVersion", 0)) >= int(version)

        await eventually(are_served)

    async def counted(self, number: int) -> dict[str, int]:
        """What the proxy counts from now on, once callers have had so many answers."""
        before, sent = await self.mesh.counters(), self.mesh.load.total.sent + number

        async def are_answered() -> bool:
            return self.mesh.load.total.sent >= sent

        await eventually(are_answered)
        now = await self.mesh.counters()
        return {name: now[name] - before.get(name, 0) for name in now}


@asynccontextmanager
async def scene(api: ApiServer, folder: Path) -> AsyncIterator[Scene]:
    async with api.reached() as place, place.client() as client:
        mesh = DemoMesh(place.url, place.token, place.ca, namespace=place.namespace, seed=3, folder=folder)
        await mesh.start()
        # Callers wait for each other, so that they are no more than any machine can serve.
        mesh.load.at_once = 16
        try:
            yield Scene(mesh, client, place)
        finally:
            await mesh.stop()


def test_the_shop_starts_on_v1_with_three_pods_and_two_of_v2(api: ApiServer, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(api, tmp_path) as one:
            ready = [pod["version"] for pod in one.mesh.snapshot()["pods"] if pod["ready"] and pod["app"] == "reviews"]
            counted = await one.counted(60)
            assert sorted(ready) == ["v1", "v1", "v1", "v2", "v2"]
            assert counted["v1"] > 0
            assert (counted["v2"], counted["failed"]) == (0, 0)

    run(story())


def test_written_weights_move_the_traffic(api: ApiServer, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(api, tmp_path) as one:
            await one.shares(50, 50)
            counted = await one.counted(200)
            total = counted["v1"] + counted["v2"]
            # Five and a half standard deviations: once in twenty million runs by chance.
            assert abs(counted["v2"] / total - 0.5) < 2.75 / total**0.5
            await one.shares(0, 100)
            assert (await one.counted(50))["v1"] == 0

    run(story())


def test_fifty_changes_under_load_fail_no_request(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(StandIn(), tmp_path) as one:
            one.mesh.load.rate = 200
            for number in range(50):
                await one.shares(100 - 2 * number, 2 * number)
                await one.counted(10)
            assert one.mesh.snapshot(1)["proxy"]["accepted"] >= 50
            assert (one.mesh.load.total.failed, (await one.mesh.counters())["failed"]) == (0, 0)

    run(story())


def test_a_dead_version_fails_callers_and_is_unknown_at_the_source(api: ApiServer, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(api, tmp_path) as one:
            await one.shares(50, 50)
            await one.mesh.set_knob("v2", dead=True)
            counted = await one.counted(300)
            # Half of them are expected, a third comes once in two hundred million runs by chance.
            assert counted["failed"] > counted["v1"] / 2 > 0

            async def is_unknown() -> bool:
                text = await _fetched(one.mesh.scrape_targets()[0].url)
                unknown = [line for line in text.splitlines() if 'destination_version="unknown"' in line]
                return any('response_flags="UH"' in line for line in unknown)

            await eventually(is_unknown)
            await one.shares(100, 0)
            # Those that were under way come to their end.
            await one.counted(20)
            assert (await one.counted(50))["failed"] == 0

    run(story())


def test_knobs_make_a_version_slow_and_failing(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(StandIn(), tmp_path) as one:
            await one.shares(0, 100)
            await one.mesh.set_knob("v2", error_rate=0.5)
            knobs = await one.mesh.set_knob("v2", delay_ms=100)
            assert (knobs.error_rate, knobs.delay_ms, knobs.dead) == (0.5, 100, False)
            since = time.time() + 1

            def seconds() -> list[dict[str, float]]:
                told = one.mesh.snapshot()["seconds"]
                return [second["versions"]["v2"] for second in told if second["at"] > since]

            async def are_many() -> bool:
                return sum(each["requests"] for each in seconds()) >= 100

            await eventually(are_many)
            found = seconds()
            # Outside of this once in 800 million runs by chance.
            share = sum(each["errors"] for each in found) / sum(each["requests"] for each in found)
            assert 0.2 < share < 0.8
            assert all(each["p95_ms"] >= 100 for each in found)

    run(story())


def test_a_refused_virtual_service_is_remembered_and_the_old_one_serves(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(StandIn(), tmp_path) as one:

            def spoil(document: Document) -> None:
                document["spec"]["http"][1]["match"] = [{"uri": {"regex": "("}}]

            async def refused() -> bool:
                return "refused" in (one.mesh.snapshot(1)["proxy"]["refusal"] or "")

            await change(one.client, one.place.namespace, spoil)
            await eventually(refused)
            assert (await one.counted(20))["v1"] > 0

    run(story())


def test_every_target_can_be_scraped(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(StandIn(), tmp_path) as one:
            targets = one.mesh.scrape_targets()
            pages = await asyncio.gather(*(_fetched(target.url) for target in targets))
            assert len(targets) == 8 and all("# TYPE" in page for page in pages)
            assert {target.job for target in targets} == {"sidecars", "cadvisor"}
            assert "envoy_cluster_upstream_rq_active{" in pages[0]

    run(story())


def test_the_access_log_of_a_pods_sidecar_can_be_read_and_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(StandIn(), tmp_path) as one:
            await one.counted(30)
            pods = one.mesh.snapshot(1)["pods"]
            name = next(pod["name"] for pod in pods if (pod["app"], pod["version"]) == ("reviews", "v1"))
            home = one.place.namespace
            assert '"GET /' in str(await one.mesh.log_of(home, name, "istio-proxy"))
            assert await one.mesh.log_of(home, name, "reviews") is None
            assert await one.mesh.log_of(home, "nobody", "istio-proxy") is None

    run(story())


def test_impossible_knobs_are_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(StandIn(), tmp_path) as one:
            with pytest.raises(ValueError, match="error_rate is a share"):
                await one.mesh.set_knob("v2", error_rate=1.5)
            with pytest.raises(ValueError, match="delay_ms"):
                await one.mesh.set_knob("v2", delay_ms=-1)

    run(story())


def test_nothing_is_left_two_seconds_after_the_stop(tmp_path: Path) -> None:
    async def story() -> None:
        began = time.monotonic()
        async with scene(StandIn(), tmp_path) as one:
            starting = time.monotonic() - began
            began = time.monotonic()
            await one.mesh.stop()
            # Two seconds, or on a slow machine the time of a start, which does far more.
            assert time.monotonic() - began < max(2, 2 * starting)
            assert _children() == []

    run(story())


def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story() -> None:
        mesh = DemoMesh("http://127.0.0.1:9", folder=tmp_path)
        with pytest.raises(aiohttp.ClientConnectorError):
            await mesh.start()
        assert _children() == []

    run(story())


async def _fetched(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


def _children() -> list[str]:
    """The pods and proxies this process has started and not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):
            continue
        if parent == os.getpid() and ("sandbox" in words or "envoy" in words):
            found.append(words)
    return found
