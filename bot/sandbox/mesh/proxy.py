"""What the mesh asks of a proxy, and what a proxy tells of each request."""

from collections.abc import Callable
from dataclasses import dataclass
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
    """Requests since the start: first attempts by cluster, and answers with 5xx to the callers."""

    by_cluster: dict[ClusterName, int]
    failed: int


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

    async def stop(self) -> None:
        """End it and all it started."""
