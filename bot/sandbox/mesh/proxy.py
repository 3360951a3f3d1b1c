"""What the mesh asks of a proxy, and what a proxy tells of each request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.mesh.routing import ClusterName, MeshState


@dataclass(frozen=True)
class Served:
    """One finished request as the caller's sidecar saw it.

    `workload` is None when no pod answered; `code` is 0 when the caller went away first.
    """

    started: float
    milliseconds: float
    code: int
    flags: str
    cluster: ClusterName | None
    workload: Workload | None
    authority: str

    @property
    def failed(self) -> bool:
        """Whether the caller got an error of the server's side, or nothing."""
        return self.code >= 500 or self.code == 0


@dataclass(frozen=True)
class Counters:
    """Since the start: first attempts and opened connections by cluster, and answers with 5xx to the callers."""

    by_cluster: dict[ClusterName, int]
    failed: int
    connections: dict[ClusterName, int] = field(default_factory=dict)


Hear = Callable[[Served], None]


class Refusal(Exception):
    """The proxy keeps its old configuration, and why."""


class Proxy(Protocol):
    """A sidecar: takes a state of the mesh, serves requests by it, counts them."""

    @property
    def url(self) -> str:
        """Where callers send their requests."""

    @property
    def admin_url(self) -> str:
        """Where its own counters are read."""

    @property
    def stand_in_reason(self) -> str | None:
        """Why this is not Envoy; None when it is."""

    async def start(self) -> None:
        """Serve; with no state yet every request is answered with 404."""

    async def apply(self, state: MeshState) -> None:
        """Take a new state and return once it is in effect; Refusal when it is not taken."""

    async def counters(self) -> Counters:
        """The counters now."""

    async def under_way(self) -> dict[ClusterName, int]:
        """Requests that have begun and not ended, by cluster; empty of a proxy that does not tell."""

    def tcp_address(self, port: int) -> tuple[str, int] | None:
        """Where connections to a service's port enter; None while no tcp route is meant for it."""

    async def stop(self) -> None:
        """End it and all it started."""
