"""The services that are released all at once: their objects, their profiles, and how each is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

NAMESPACE = "shop"
PORT = 9080
ROLES = {
    "releaser": ["U0ALICE", "U0DAVE"],
    "approver": ["S0APPROVE", "U0ALICE"],
    "override": ["U0BOB"],
    "on_call": ["U0CAROL"],
}
RELEASERS, APPROVERS = ("alice", "dave"), ("bob", "alice", "erin")
APPROVER_IDS = frozenset({"U0BOB", "U0ALICE", "U0ERIN"})
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {"steps": [10, 50, 100]}),
    ("", {"steps": [25, 100], "approve": "none", "soak": "2s"}),
    ("phased from 20 by 40 every 2s to 100", {}),
    ("blue-green", {}),
    ("shadow", {"mirror": [10, 50], "side_effects": "isolated"}),
    ("ab", {"match": "header:x-beta=1", "inside": [50, 100]}),
    ("", {"pipeline": [{"strategy": "shadow", "mirror": [20]}, "canary"], "side_effects": "isolated"}),
    ("", {"steps": [20, 60, 100], "sticky": "cookie", "approve": "final"}),
    ("", {"steps": [50, 100], "two routes": True, "approve": "final"}),
    ("", {"steps": [50, 100], "scale": True, "decommission": "scale_to_zero", "idle_for": "3s", "drain": "1s"}),
)
Document = dict[str, Any]


@dataclass(slots=True)
class Service:
    """One service of the shop; `knobs` is what its candidate suffers from."""

    name: str
    words: str
    profile: Document
    routes: tuple[str, ...]
    baseline: str = "v1"
    errors: dict[str, float] = field(default_factory=dict)
    unready: set[str] = field(default_factory=set)

    @property
    def host(self) -> str:
        """Its full host."""
        return f"{self.name}.{NAMESPACE}.svc.cluster.local"

    @property
    def channel(self) -> str:
        """The channel of its releases."""
        return f"C0{self.name.upper()}"


def service(number: int, chance: random.Random) -> Service:
    """The service of this number; the seed draws how long it holds and what it forgives."""
    words, more = WAYS[number % len(WAYS)]
    name = f"s{number}"
    more = dict(more)
    two = more.pop("two routes", False)
    routes = (name, f"{name}-gateway") if two else (name,)
    profile = {"service": name, "namespace": NAMESPACE, "channel": f"C0{name.upper()}", **timing(chance), **more}
    if two:
        profile["routes"] = [{"virtual_service": each, "http": ["main"]} for each in routes]
    return Service(name, words, profile, routes)


def timing(chance: random.Random) -> Document:
    """Holds and looks of a profile, from tens of milliseconds to seconds."""
    profile: Document = {
        "hold": chance.choice(["50ms", "300ms", "1s", "3s"]),
        "look": chance.choice(["1s", "1s", "2s"]),
        "metrics": {"errors": {"limit": "10%", "allowed": "+5pp"}},
        "min_requests": 20,
        "deadline": chance.choice(["8s", "20s"]),
        "at_deadline": chance.choice(["ask", "hold", "roll_back"]),
        "on_harm": chance.choice(["roll_back", "roll_back", "pause"]),
        "no_answer": {"after": chance.choice(["20s", "2m"]), "then": chance.choice(["hold", "roll_back"])},
        "soak": chance.choice(["0s", "500ms", "3s"]),
    }
    if chance.random() < 0.2:
        profile["metrics"]["latency_p95"] = {"allowed": "+300%"}
    if chance.random() < 0.2:
        profile["quorum"] = 2
    return profile


def objects(one: Service) -> list[tuple[str, Document]]:
    """Its documents by plural, in the order in which they are created."""
    found = [
        ("services", _service(one.name)),
        *(("deployments", deployment(one.name, version)) for version in ("v1", "v2")),
        ("destinationrules", destination_rule(one.name)),
    ]
    return [*found, *(("virtualservices", virtual_service(one.name, route)) for route in one.routes)]


def _service(name: str) -> Document:
    ports = [{"name": "http", "protocol": "TCP", "port": PORT, "targetPort": PORT}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def deployment(name: str, version: str) -> Document:
    """Two pods of a version."""
    labels = {"app": name, "version": version}
    container = {"name": name, "image": f"shop/{name}:{version}", "ports": [{"name": "http", "containerPort": PORT}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    head = {"name": f"{name}-{version}", "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": head, "spec": spec}


def destination_rule(name: str) -> Document:
    """The baseline's subset alone: the bot adds the candidate's."""
    subsets = [{"name": "v1", "labels": {"version": "v1"}}]
    return _istio("DestinationRule", name, {"host": name, "subsets": subsets})


def virtual_service(service: str, name: str) -> Document:
    """A route of somebody else's first, then ours."""
    stars = {
        "name": "stars",
        "match": [{"uri": {"prefix": "/stars"}}],
        "route": [{"destination": {"host": "ratings"}}],
        "timeout": "2s",
    }
    main = {"name": "main", "route": [{"destination": {"host": service, "subset": "v1"}}], "timeout": "10s"}
    where = {"gateways": ["edge"], "hosts": [f"{service}.example"]} if name != service else {"hosts": [service]}
    return _istio("VirtualService", name, {**where, "http": [stars, main]})


def _istio(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
