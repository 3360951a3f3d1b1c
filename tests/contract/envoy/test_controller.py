"""Deployments get real pods, on the sandbox's API server and on a real one."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.sandbox.cluster.client import DEPLOYMENTS, PODS, Document, KubernetesClient
from bot.sandbox.cluster.controller import DeploymentController
from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.cluster.pod_documents import RUN_ANNOTATION
from bot.sandbox.cluster.pod_process import Knobs
from tests.contract.envoy.api_servers import ApiServer, Reached, change, eventually, is_ready, pods, waiting
from tests.contract.envoy.bench import run

SOURCE = Workload("shoppers", "shop", "shoppers", "v1")
LABELS = {"app": "app", "version": "v1"}


def deployment(replicas: int, image: str = "shop/app:v1") -> Document:
    containers = [{"name": "app", "image": image}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}, "spec": spec}


@dataclass
class Scene:
    client: KubernetesClient
    place: Reached
    controller: DeploymentController

    async def ready_pods(self) -> list[str]:
        return sorted(p["metadata"]["name"] for p in await pods(self.client, self.place.namespace) if is_ready(p))

    async def has_ready(self, number: int) -> bool:
        found = await pods(self.client, self.place.namespace)
        return len(found) == number and all(is_ready(one) for one in found)

    async def status(self) -> Document:
        found = await self.client.get(DEPLOYMENTS, self.place.namespace, "app")
        status: Document = found.get("status", {})
        return status

    def pids(self) -> list[int]:
        return [one.process.pid for one in self.controller.replicas.values() if one.process]


@asynccontextmanager
async def scene(api: ApiServer, first: Document) -> AsyncIterator[Scene]:
    async with api.reached() as place, place.client() as client:
        await client.create(DEPLOYMENTS, place.namespace, first)
        controller = DeploymentController(client, place.namespace, source=SOURCE, seed=1)
        await controller.start()
        try:
            yield Scene(client, place, controller)
        finally:
            await controller.stop()


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_deployment_gets_its_ready_pods_and_its_status(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(2)) as one:
            await one.controller.ready()
            await eventually(lambda: one.has_ready(2))

            async def told() -> bool:
                status = await one.status()
                return (status.get("readyReplicas"), status.get("observedGeneration")) == (2, 1)

            await eventually(told)

    run(story())


def test_pods_follow_the_scale_up_and_down(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(1)) as one:
            for number in (3, 0, 1):
                await change(
                    one.client,
                    one.place.namespace,
                    lambda document, number=number: document["spec"].update(replicas=number),  # type: ignore[misc]
                    "deployment",
                )
                await eventually(lambda number=number: one.has_ready(number))  # type: ignore[misc]

    run(story())


def test_a_new_template_replaces_the_pods_and_never_serves_with_fewer(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(2)) as one:
            await eventually(lambda: one.has_ready(2))
            before, seen = set(await one.ready_pods()), []

            def edit(document: Document) -> None:
                document["spec"]["template"]["spec"]["containers"][0]["image"] = "shop/app:v1.1"

            await change(one.client, one.place.namespace, edit, "deployment")

            async def replaced() -> bool:
                now = await one.ready_pods()
                seen.append(len(now))
                return not before & set(now) and len(now) == 2

            await eventually(replaced)
            assert min(seen) >= 2

    run(story())


def test_a_dead_version_has_no_process_and_says_crash_loop(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(2)) as one:
            await one.controller.ready()
            pids = one.pids()
            await one.controller.set_knobs("app", "v1", Knobs(dead=True))
            assert all(_gone(pid) for pid in pids)

            async def crashed() -> bool:
                found = await pods(one.client, one.place.namespace)
                return {waiting(p) for p in found} == {"CrashLoopBackOff"} and not any(map(is_ready, found))

            await eventually(crashed)
            await one.controller.set_knobs("app", "v1", Knobs())
            await eventually(lambda: one.has_ready(2))

    run(story())


def test_an_image_that_cannot_be_pulled_is_told(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(1, "shop/app:missing")) as one:

            async def told() -> bool:
                return [waiting(p) for p in await pods(one.client, one.place.namespace)] == ["ImagePullBackOff"]

            await eventually(told)
            assert one.pids() == []

    run(story())


def test_a_program_that_crashes_is_started_again_and_counted(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(1, "shop/app:crash")) as one:

            async def counted() -> bool:
                found = await pods(one.client, one.place.namespace)
                statuses = [s for p in found for s in p.get("status", {}).get("containerStatuses", [])]
                return any(s["restartCount"] >= 2 for s in statuses)

            await eventually(counted)

    run(story())


def test_a_deleted_pod_is_replaced(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(1)) as one:
            await eventually(lambda: one.has_ready(1))
            name = (await one.ready_pods())[0]
            await one.client.delete(PODS, one.place.namespace, name)

            async def replaced() -> bool:
                now = await one.ready_pods()
                return len(now) == 1 and now != [name]

            await eventually(replaced)

    run(story())


def test_a_deleted_deployment_takes_its_pods_along(api: ApiServer) -> None:
    async def story() -> None:
        async with scene(api, deployment(2)) as one:
            await one.controller.ready()
            pids = one.pids()
            await one.client.delete(DEPLOYMENTS, one.place.namespace, "app")
            await eventually(lambda: one.has_ready(0))

            async def ended() -> bool:
                return all(_gone(pid) for pid in pids)

            await eventually(ended)

    run(story())


def test_pods_of_a_run_that_was_killed_are_cleared_away(api: ApiServer) -> None:
    async def story() -> None:
        async with api.reached() as place, place.client() as client:
            meta = {"name": "left-over", "annotations": {RUN_ANNOTATION: "an-earlier-run"}}
            containers = [{"name": "app", "image": "i"}]
            left = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}}
            await client.create(PODS, place.namespace, left)
            controller = DeploymentController(client, place.namespace, source=SOURCE, seed=1)
            await controller.start()
            assert await pods(client, place.namespace) == []
            await controller.stop()

    run(story())
