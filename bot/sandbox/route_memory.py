"""The shop's route: as it was first, what it asks for now, and since when."""

import time
from collections.abc import Mapping
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
