"""Envoy's admin interface: is it ready, where does it listen, what has it taken, what has it counted."""

import re
from dataclasses import dataclass

import aiohttp

from bot.sandbox.mesh.envoy_config import NAME
from bot.sandbox.mesh.proxy import Counters
from bot.sandbox.mesh.routing import ClusterName

TIMEOUT = aiohttp.ClientTimeout(total=10)
ROUTES, CLUSTERS, LISTENERS = f"http.{NAME}.rds.{NAME}", "cluster_manager.cds", "listener_manager.lds"
CLUSTER_STAT = re.compile(
    r"^cluster\.((?:outbound|mirror)\|\d+\|[^|]*\|.+)\.upstream_(rq_total|rq_retry|rq_active|cx_total)$"
)
FAILED_STAT = f"http.{NAME}.downstream_rq_5xx"
COUNTER_FILTER = rf"^(cluster\.(outbound|mirror).*\.upstream_(rq_(total|retry)|cx_total)|{re.escape(FAILED_STAT)})$"
ACTIVE_FILTER = r"^cluster\.outbound.*\.upstream_rq_active$"


@dataclass(frozen=True)
class Subscription:
    """How far Envoy has come with one kind of resource."""

    version: str
    rejected: int


class EnvoyAdmin:
    """Reads the admin interface at `url`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def is_ready(self) -> bool:
        """Whether all configuration has been taken and requests are served."""
        async with self._session.get(f"{self.url}/ready", timeout=TIMEOUT) as answer:
            return answer.status == 200

    async def listener_port(self) -> int:
        """The port of the listener for requests."""
        url = f"{self.url}/listeners"
        async with self._session.get(url, params={"format": "json"}, timeout=TIMEOUT) as answer:
            found = await answer.json(content_type=None)
        addresses = {one["name"]: one["local_address"]["socket_address"] for one in found["listener_statuses"]}
        port: int = addresses[NAME]["port_value"]
        return port

    async def subscription(self, prefix: str) -> Subscription:
        """The version in effect and the number of refusals of ROUTES, CLUSTERS or LISTENERS."""
        values = await self._stats(rf"^{re.escape(prefix)}\.(version_text|update_rejected|update_failure)$")
        rejected = int(values.get(f"{prefix}.update_rejected", 0)) + int(values.get(f"{prefix}.update_failure", 0))
        return Subscription(str(values.get(f"{prefix}.version_text", "")), rejected)

    async def warming(self) -> int:
        """Clusters that have been taken but are not usable yet."""
        values = await self._stats(r"^cluster_manager\.warming_clusters$")
        return int(values.get("cluster_manager.warming_clusters", 0))

    async def counters(self) -> Counters:
        """First attempts and connections by cluster, and 5xx answers to callers."""
        totals: dict[ClusterName, int] = {}
        connections: dict[ClusterName, int] = {}
        failed = 0
        for name, value in (await self._stats(COUNTER_FILTER)).items():
            found = CLUSTER_STAT.match(name)
            if found is None:
                failed = int(value)
                continue
            cluster = ClusterName.parse(found[1])
            if found[2] == "cx_total":
                connections[cluster] = int(value)
                continue
            # Envoy counts each retry as one more request; a caller sent only one.
            sign = 1 if found[2] == "rq_total" else -1
            totals[cluster] = totals.get(cluster, 0) + sign * int(value)
        return Counters(totals, failed, connections)

    async def under_way(self) -> dict[ClusterName, int]:
        """Requests that have begun and not ended, by cluster."""
        found = {CLUSTER_STAT.match(name): int(value) for name, value in (await self._stats(ACTIVE_FILTER)).items()}
        return {ClusterName.parse(match[1]): value for match, value in found.items() if match is not None}

    async def _stats(self, pattern: str) -> dict[str, int | str]:
        query = {"filter": pattern, "format": "json"}
        async with self._session.get(f"{self.url}/stats", params=query, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            found = await answer.json(content_type=None)
        return {one["name"]: one["value"] for one in found["stats"] if "name" in one}
