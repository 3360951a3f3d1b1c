"""The shop's route: as it was first, what it asks for now, and since when."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERSIONS = ("v1", "v2")


class RouteMemory:
    """Sees the route again and again and remembers what is worth remembering."""

    def __init__(self) -> None:
        self.original: Mapping[str, Any] = {}
        self.asked: dict[str, int] = {}
        self.moved_at = 0.0

    def see(self, route: Mapping[str, Any]) -> None:
        """The route as it is now."""
        self.original = self.original or route
        weights = asked(route)
        if weights != self.asked:
            self.asked, self.moved_at = weights, time.time()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a route asks for: percent by version, routes inserted for matches, percent of the copies that v2 gets."""

    weights: Mapping[str, int]
    matches: tuple[str, ...] = ()
    mirror: float | None = None

    @property
    def reaches(self) -> bool:
        """Whether v2 gets any request at all."""
        return bool(self.weights.get("v2") or self.matches or self.mirror)


def everything_asked(route: Mapping[str, Any]) -> Asked:
    """The weights with what stands beside them: `headers x-beta exact 1: v1 50, v2 50`."""
    https = route.get("spec", {}).get("http", [])
    inserted = tuple(f"{_conditions(http)}: {_shares(http)}" for http in https if _is_inserted(http))
    mirrors = [http for http in https if not _is_inserted(http) and http.get("mirror")]
    percent = float((mirrors[0].get("mirrorPercentage") or {"value": 100})["value"]) if mirrors else None
    return Asked(asked(route), inserted, percent)


def _is_inserted(http: Mapping[str, Any]) -> bool:
    return str(http.get("name", "")).startswith("sluice-")


def _conditions(http: Mapping[str, Any]) -> str:
    return " or ".join(_words(block) for block in http.get("match", []))


def _words(value: object) -> str:
    return " ".join(f"{key} {_words(each)}" for key, each in value.items()) if isinstance(value, dict) else str(value)


def _shares(http: Mapping[str, Any]) -> str:
    destinations = http.get("route", [])
    return ", ".join(f"{one['destination'].get('subset')} {one.get('weight', 100)}" for one in destinations)


def asked(route: Mapping[str, Any]) -> dict[str, int]:
    """Percent by version that the main route asks for; a lone destination without a weight has all."""
    for http in route.get("spec", {}).get("http", []):
        if _is_inserted(http):
            continue
        subsets = {one["destination"].get("subset"): one.get("weight") for one in http.get("route", [])}
        if not subsets.keys() & set(VERSIONS):
            continue
        given = {
            str(name): 100 if weight is None and len(subsets) == 1 else weight or 0 for name, weight in subsets.items()
        }
        return {version: given.get(version, 0) for version in VERSIONS}
    return dict.fromkeys(VERSIONS, 0)
