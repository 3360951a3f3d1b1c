"""Everything the page shows beside the channel, as one JSON document."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.page import yaml_lines
from bot.sandbox.route_memory import VERSIONS, Asked, everything_asked
from bot.sandbox.supervisor import Supervisor

SECONDS = 90
ROLES = {"alice": "releaser", "bob": "approver", "carol": "on-call", "mallory": "no role"}
# Long enough for a steady figure at 100 requests a second, short enough to see a change at once.
SHARE_SECONDS = 5
QUIET = {"error_rate": 0.0, "delay_ms": 0.0, "orders": 1.0, "dead": False, "dependency": 0.0}


class PageState:
    """Reads the running sandbox."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

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
        # Somebody may have deleted the route: then the pods of every version get requests.
        memory, route = self._supervisor.route, found["virtual_services"].get(SERVICE) or {}
        memory.see(route)
        knobs = {version: {**QUIET, **found["knobs"].get(f"{SERVICE}-{version}", {})} for version in VERSIONS}
        return {
            "service": SERVICE,
            "rate": found["rate"],
            "asked": memory.asked,
            "asked_words": asked_words(everything_asked(route)) if route else dict.fromkeys(VERSIONS, "no route"),
            "copies": round(self._supervisor.copies),
            "share": shares(found["seconds"], memory.moved_at),
            "seconds": found["seconds"],
            "total": found["total"],
            "pods": [pod for pod in found["pods"] if pod["app"] == SERVICE],
            "knobs": knobs,
            "proxy": found["proxy"],
            "yaml": yaml_lines.marked(yaml_lines.text(memory.original), yaml_lines.text(route)),
        }


def asked_words(asked: Asked) -> dict[str, str]:
    """What each version should get, in few words."""
    # Beside it stands how many come each second: there is no room for more words.
    word = "" if asked.mirror else "asked "
    return {"v1": f"asked {asked.weights.get('v1', 0)} %", "v2": f"{word}{asked_of_v2(asked)}"}


def asked_of_v2(asked: Asked) -> str:
    """What v2 should get, in few words: `20 %`, `20 % kept` by a cookie, `a match`, `copies 20 %`."""
    share = f"{asked.weights.get('v2', 0)} %"
    if asked.mirror:
        return f"copies {asked.mirror:g} %"
    if not asked.matches:
        return share
    if any("cookie" in match and "sluice" in match for match in asked.matches):
        return f"{share} kept"
    return f"{share} + match" if asked.weights.get("v2") else "a match"


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
