"""The words of the mesh between Istio's objects and a proxy: hosts, routes, clusters, endpoints."""

from dataclasses import dataclass, field
from enum import Enum

from bot.sandbox.cluster.istio_series import ServiceName, Workload


class Compare(Enum):
    """How a text is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"
    PRESENT = "present"


class Part(Enum):
    """Which part of a request a condition looks at; the method and the authority are pseudo-headers."""

    HEADER = "header"
    QUERY = "query"


@dataclass(frozen=True)
class Text:
    """A comparison with a text."""

    compare: Compare
    value: str = ""


@dataclass(frozen=True)
class Condition:
    """One thing a request must (or, inverted, must not) carry."""

    part: Part
    name: str
    text: Text
    inverted: bool = False


@dataclass(frozen=True)
class Match:
    """All conditions hold, and the path agrees."""

    path: Text = Text(Compare.PREFIX, "/")
    ignores_case: bool = False
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class ClusterName:
    """Istio's name of a group of endpoints: direction, port, subset, host.

    Mirrored requests go by a twin with the same endpoints: the proxy's counters of live traffic stay clean.
    """

    port: int
    subset: str
    host: str
    is_mirror: bool = False

    def __str__(self) -> str:
        return f"{'mirror' if self.is_mirror else 'outbound'}|{self.port}|{self.subset}|{self.host}"

    @property
    def service(self) -> ServiceName:
        """The host as Istio's telemetry names it."""
        name, _, rest = self.host.partition(".")
        return ServiceName(self.host, name, rest.split(".")[0])

    @classmethod
    def parse(cls, text: str) -> "ClusterName":
        """The name that `str` gave; ValueError for any other."""
        direction, port, subset, host = text.split("|")
        return cls(int(port), subset, host, direction == "mirror")


@dataclass(frozen=True)
class HeaderEdits:
    """Headers to set, add and remove."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


NO_EDITS = HeaderEdits()


@dataclass(frozen=True)
class Share:
    """A destination and its weight among the others of its route."""

    cluster: ClusterName
    weight: int
    request: HeaderEdits = NO_EDITS
    response: HeaderEdits = NO_EDITS


@dataclass(frozen=True)
class Mirror:
    """A copy of some requests, whose answers nobody reads."""

    cluster: ClusterName
    percent: float


@dataclass(frozen=True)
class Retry:
    """When and how often an attempt is repeated."""

    attempts: int
    on: str
    codes: tuple[int, ...] = ()
    per_try_seconds: float | None = None


# What Istio does where a VirtualService says nothing of retries.
DEFAULT_RETRY = Retry(2, "connect-failure,refused-stream,unavailable,cancelled")


@dataclass(frozen=True)
class Rewrite:
    """Another path or authority for the upstream."""

    path: str | None = None
    pattern: tuple[str, str] | None = None
    authority: str | None = None


@dataclass(frozen=True)
class Forward:
    """Send the request to one of the destinations."""

    shares: tuple[Share, ...]
    mirrors: tuple[Mirror, ...] = ()
    timeout_seconds: float | None = None
    retry: Retry | None = DEFAULT_RETRY
    rewrite: Rewrite = Rewrite()


@dataclass(frozen=True)
class Redirect:
    """Tell the caller to ask elsewhere."""

    path: str | None
    authority: str | None
    code: int


@dataclass(frozen=True)
class Reply:
    """Answer at once."""

    code: int
    body: str


@dataclass(frozen=True)
class Route:
    """The first route whose match holds takes the request."""

    name: str
    match: Match
    action: Forward | Redirect | Reply
    request: HeaderEdits = NO_EDITS
    response: HeaderEdits = NO_EDITS


@dataclass(frozen=True)
class VirtualHost:
    """The routes of one host and port."""

    name: str
    domains: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class TcpRoute:
    """Where the connections of one of a service's ports go, whatever they carry."""

    name: str
    port: int
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Endpoint:
    """A ready pod, where it listens and who it is."""

    pod: str
    address: str
    port: int
    workload: Workload


@dataclass(frozen=True)
class Cluster:
    """A named group of endpoints."""

    name: ClusterName
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class MeshState:
    """All that a proxy has to know, and what of the objects it will not honour."""

    hosts: tuple[VirtualHost, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    tcp: tuple[TcpRoute, ...] = ()
    ignored: tuple[str, ...] = field(default=(), compare=False)
