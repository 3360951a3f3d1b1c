"""The controllers and the kubelet that an API server alone has not: Deployments get real pods."""

import asyncio
import logging
import random
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.sandbox.cluster.background import Background
from bot.sandbox.cluster.client import DEPLOYMENTS, PODS, ApiError, Document, KubernetesClient
from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.cluster.pod_documents import (
    PORT_ANNOTATION,
    RUN_ANNOTATION,
    PodCounts,
    deployment_status,
    pod_document,
    pod_status,
    template_hash,
)
from bot.sandbox.cluster.pod_process import Knobs
from bot.sandbox.cluster.pod_state import Running
from bot.sandbox.cluster.reflector import Reflector
from bot.sandbox.cluster.replica import Replica

log = logging.getLogger(__name__)

NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
RESYNC_SECONDS = 1.0
# Longer than it takes the proxy to hear that a pod has gone: nobody is sent to a closed door.
DRAIN_SECONDS = 1.0
STOP_GRACE = 0.5


class DeploymentController:
    """Gives every Deployment of a namespace its pods, and writes what became of them."""

    def __init__(self, client: KubernetesClient, namespace: str, *, source: Workload, seed: int) -> None:
        self._client = client
        self._namespace = namespace
        self._source = source
        self._random = random.Random(seed)  # noqa: S311 - names and luck of the shop, no secret
        self._run = f"{random.SystemRandom().getrandbits(40):010x}"
        self._due = asyncio.Event()
        self._settled = asyncio.Event()
        self._background = Background()
        self._retiring: set[asyncio.Task[None]] = set()
        self._knobs: dict[tuple[str, str], Knobs] = {}
        self._refusals: dict[str, str] = {}
        self._counts: dict[str, tuple[int, PodCounts]] = {}
        self.replicas: dict[str, Replica] = {}
        self._deployments = Reflector(client, DEPLOYMENTS, namespace, changed=self._due.set)
        self._pods = Reflector(client, PODS, namespace, changed=self._due.set)

    async def start(self) -> None:
        """Begin; pods of an earlier run that was killed are removed first."""
        for pod in (await self._client.list(PODS, self._namespace))[0]:
            run = pod["metadata"].get("annotations", {}).get(RUN_ANNOTATION)
            if run is not None and run != self._run:
                await self._client.delete(PODS, self._namespace, pod["metadata"]["name"])
        self._background.spawn(self._deployments.run(), "watch of Deployments")
        self._background.spawn(self._pods.run(), "watch of Pods")
        self._background.spawn(self._loop(), "Deployment controller")

    async def stop(self) -> None:
        """End every pod process; the objects stay as they are."""
        await self._background.stop()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(one.end(STOP_GRACE) for one in self.replicas.values()))

    async def set_knobs(self, app: str, version: str, knobs: Knobs) -> None:
        """Turn the knobs of all pods of a version, present and future."""
        self._knobs[app, version] = knobs
        mine = [one for one in self.replicas.values() if _app_and_version(one.labels, one.owner) == (app, version)]
        await asyncio.gather(*(one.turn(knobs) for one in mine))

    def knobs(self, app: str, version: str) -> Knobs:
        """How the pods of a version behave now."""
        return self._knobs.get((app, version), Knobs())

    def all_knobs(self) -> dict[str, dict[str, float | bool]]:
        """The knobs that were turned, by `app-version`."""
        return {f"{app}-{version}": vars(knobs) for (app, version), knobs in self._knobs.items()}

    async def ready(self) -> None:
        """Wait until each Deployment has had all its pods ready, and written as such."""
        await self._settled.wait()

    async def _loop(self) -> None:
        await self._deployments.synced.wait()
        await self._pods.synced.wait()
        while True:
            self._due.clear()
            try:
                await self._reconcile()
            except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as fault:
                # The next pass starts from what is true by then.
                log.warning("reconciling pods: %r", fault)
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(RESYNC_SECONDS):
                    await self._due.wait()

    async def _reconcile(self) -> None:
        deployments = dict(self._deployments.objects)
        self._drop_deleted_pods()
        for one in [one for one in self.replicas.values() if one.owner not in deployments]:
            self._retire(one)
        for name in self._counts.keys() - deployments.keys():
            del self._counts[name]
        await asyncio.gather(*(self._scale(one) for one in deployments.values()))
        await asyncio.gather(*(self._write_pod(one) for one in list(self.replicas.values())))
        await asyncio.gather(*(self._write_deployment(one) for one in deployments.values()))
        ready = sum(one.is_known_ready for one in self.replicas.values())
        if deployments and ready >= sum(_wanted(one) for one in deployments.values()):
            self._settled.set()

    def _drop_deleted_pods(self) -> None:
        for name, one in list(self.replicas.items()):
            if name in self._pods.objects:
                one.was_seen = True
            elif one.was_seen:
                # Never seen means only that the watch is behind; seen and gone means deleted by somebody.
                self._retire(one)

    async def _scale(self, deployment: Document) -> None:
        name, template = deployment["metadata"]["name"], template_hash(deployment)
        wanted = _wanted(deployment)
        mine = [one for one in self.replicas.values() if one.owner == name]
        fresh = [one for one in mine if one.template == template]
        stale = [one for one in mine if one.template != template]
        fresh.sort(key=lambda one: not one.ready)
        for one in fresh[wanted:]:
            self._retire(one)
        # Old pods leave only as new ones are ready, so a rollout never shrinks what serves.
        ready = sum(one.is_known_ready for one in fresh[:wanted])
        for one in stale[: max(0, ready + len(stale) - wanted)]:
            self._retire(one)
        self._refusals.pop(name, None)
        await asyncio.gather(*(self._add(deployment) for _ in range(wanted - len(fresh))))

    async def _add(self, deployment: Document) -> None:
        owner = deployment["metadata"]["name"]
        template = template_hash(deployment)
        suffix = "".join(self._random.choices(NAME_LETTERS, k=5))
        body = pod_document(deployment, f"{owner}-{template}-{suffix}", self._run)
        try:
            document = await self._client.create(PODS, self._namespace, body)
        except ApiError as refusal:
            # Told in the Deployment's status, as a quota's refusal is; the next pass tries again.
            self._refusals[owner] = str(refusal)
            return
        replica = Replica(owner, template, document, self._config(body, owner), self._due.set)
        replica.knobs = self.knobs(*_app_and_version(replica.labels, owner))
        self.replicas[replica.name] = replica
        replica.life = self._background.spawn(replica.live(), f"pod {replica.name}")

    def _config(self, body: Document, owner: str) -> dict[str, Any]:
        labels = body["metadata"]["labels"]
        app, version = _app_and_version(labels, owner)
        return {
            "pod": body["metadata"]["name"],
            "workload": owner,
            "namespace": self._namespace,
            "labels": labels,
            "service": app,
            "version": version,
            "source": vars(self._source),
            "seed": self._random.getrandbits(32),
            "port": 0,
        }

    def _retire(self, replica: Replica) -> None:
        del self.replicas[replica.name]
        task = asyncio.create_task(self._bury(replica), name=f"end of {replica.name}")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _bury(self, replica: Replica) -> None:
        try:
            await self._client.delete(PODS, self._namespace, replica.name)
            await asyncio.sleep(DRAIN_SECONDS)
        except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as fault:
            log.warning("deleting pod %s: %r", replica.name, fault)
        finally:
            await replica.end(STOP_GRACE)

    async def _write_pod(self, replica: Replica) -> None:
        told = (replica.state, replica.restarts)
        if replica.written == told:
            return
        status = pod_status(replica.document, *told, datetime.now(UTC))
        name = replica.name
        try:
            if isinstance(replica.state, Running):
                await self._client.annotate(PODS, self._namespace, name, {PORT_ANNOTATION: str(replica.state.port)})
            await self._client.patch_status(PODS, self._namespace, name, status)
        except ApiError as refusal:
            if refusal.status != 404:
                raise
        # Written or deleted meanwhile: either way the watch tells the rest.
        replica.written = told

    async def _write_deployment(self, deployment: Document) -> None:
        name, template = deployment["metadata"]["name"], template_hash(deployment)
        mine = [one for one in self.replicas.values() if one.owner == name]
        counts = PodCounts(
            all=len(mine),
            updated=sum(one.template == template for one in mine),
            ready=sum(one.ready for one in mine),
            refusal=self._refusals.get(name),
        )
        facts = (deployment["metadata"].get("generation", 1), counts)
        if self._counts.get(name) == facts:
            return
        status = deployment_status(deployment, counts, datetime.now(UTC))
        try:
            await self._client.patch_status(DEPLOYMENTS, self._namespace, name, status)
        except ApiError as refusal:
            if refusal.status != 404:
                raise
        self._counts[name] = facts


def _wanted(deployment: Document) -> int:
    wanted: int = deployment["spec"].get("replicas", 1)
    return wanted


def _app_and_version(labels: dict[str, str], owner: str) -> tuple[str, str]:
    """What a version's knobs are kept under; a version without the label goes by its Deployment's name."""
    return labels.get("app", ""), labels.get("version", owner)
