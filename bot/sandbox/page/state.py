"""Everything the page shows beside the channel, as one JSON document."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.page import yaml_lines
from bot.sandbox.supervisor import Supervisor

SECONDS = 90
VERSIONS = ("v1", "v2")
ROLES = {"alice": "releaser", "bob": "approver", "carol": "on-call", "mallory": "no role"}
# Long enough for a steady figure at 100 requests a second, short enough to see a change at once.
SHARE_SECONDS = 5
QUIET = {"error_rate": 0.0, "delay_ms": 0.0, "dead": False}


class PageState:
    """Reads the running sandbox; remembers the route as it was first, and when it last changed."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._original: str | None = None
        self._weights: dict[str, int] = {}
        self._moved_at = 0.0

    def document(self) -> dict[str, Any]:
        """The state now; before the mesh is up its part is null."""
        supervisor = self._supervisor
        condition = supervisor.bot.condition
        return {
            "at": time.time(),
            "up": supervisor.is_up,
            "bot": {
                "standing": condition.standing.value,
                "reasons": list(condition.reasons),
                "tail": supervisor.bot.tail() if condition.standing.value == "ended" else "",
                "restarts": supervisor.bot.restarts,
            },
            "stand_ins": supervisor.stand_ins(),
            "users": [
                {"name": name, "id": identifier, "role": ROLES.get(name, "member")}
                for name, identifier in supervisor.users().items()
            ],
            "mesh": self._mesh(),
        }

    def _mesh(self) -> dict[str, Any] | None:
        mesh = self._supervisor.mesh
        if mesh is None or not self._supervisor.is_up:
            return None
        found = mesh.snapshot(SECONDS)
        route = found["virtual_services"].get(SERVICE)
        if route is None:
            return None
        self._follow(route)
        knobs = {version: {**QUIET, **found["knobs"].get(f"{SERVICE}-{version}", {})} for version in VERSIONS}
        return {
            "service": SERVICE,
            "rate": found["rate"],
            "asked": self._weights,
            "share": shares(found["seconds"], self._moved_at),
            "seconds": found["seconds"],
            "total": found["total"],
            "pods": [pod for pod in found["pods"] if pod["app"] == SERVICE],
            "knobs": knobs,
            "proxy": found["proxy"],
            "yaml": yaml_lines.marked(self._original or "", yaml_lines.text(route)),
        }

    def _follow(self, route: Mapping[str, Any]) -> None:
        if self._original is None:
            self._original = yaml_lines.text(route)
        weights = asked(route)
        if weights != self._weights:
            self._weights, self._moved_at = weights, time.time()


def asked(route: Mapping[str, Any]) -> dict[str, int]:
    """Percent by version that the main route asks for; a lone destination without a weight has all."""
    for http in route.get("spec", {}).get("http", []):
        subsets = {one["destination"].get("subset"): one.get("weight") for one in http.get("route", [])}
        if not subsets.keys() & set(VERSIONS):
            continue
        given = {
            str(name): 100 if weight is None and len(subsets) == 1 else weight or 0 for name, weight in subsets.items()
        }
        return {version: given.get(version, 0) for version in VERSIONS}
    return dict.fromkeys(VERSIONS, 0)


def shares(seconds: Sequence[Mapping[str, Any]], since: float) -> dict[str, float] | None:
    """Each version's share of the last seconds' requests; seconds before the last change do not count."""
    # The second of the change holds requests of both splits, and the proxy takes a moment to learn of it.
    recent = [one for one in seconds[-SHARE_SECONDS:] if one["at"] > since + 0.3] or list(seconds[-1:])
    counted = dict.fromkeys(VERSIONS, 0)
    for one in recent:
        for version in VERSIONS:
            counted[version] += one["versions"].get(version, {}).get("requests", 0)
    whole = sum(counted.values())
    return {version: number / whole for version, number in counted.items()} if whole else None
