"""The mirror of one route: read, written and taken away again; a user's own is never touched."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.mesh.documents import Document
from bot.mesh.hosts import full_host
from strategies.release import Target
from strategies.routing import HUNDRED, Mirror

MIRRORS = ("mirror", "mirrors")
# `mirror_percent` is how old manifests misspell it; the server takes it as `mirrorPercent`.
PERCENTS = ("mirrorPercentage", "mirrorPercent", "mirror_percent")


def has_mirror(entry: Mapping[str, Any]) -> bool:
    """True when the route copies requests to anybody."""
    return any(entry.get(key) for key in MIRRORS)


def leads_to(entry: Mapping[str, Any], namespace: str, target: Target, version: str) -> bool:
    """True when the route's one `mirror` is this version of the target."""
    mirror = entry.get("mirror")
    if not isinstance(mirror, dict):
        return False
    subset = target.subsets.get(version, version)
    return full_host(str(mirror.get("host") or ""), namespace) == target.host and mirror.get("subset") == subset


def percent_of(entry: Mapping[str, Any]) -> Decimal:
    """The mirrored percent; everything when nothing is said, as proxies have it."""
    share = entry.get("mirrorPercentage")
    if isinstance(share, dict):
        return Decimal(str(share.get("value") or 0))
    return Decimal(str(next((entry[key] for key in PERCENTS[1:] if entry.get(key) is not None), HUNDRED)))


def write(entry: Document, destination: Document, mirror: Mirror) -> None:
    """Copy the percent of the route's requests to `destination`."""
    entry["mirror"] = destination["destination"]
    whole = mirror.percent == int(mirror.percent)
    entry["mirrorPercentage"] = {"value": int(mirror.percent) if whole else float(mirror.percent)}


def remove(entry: Document) -> None:
    """Take the one `mirror` away with its percent."""
    for key in ("mirror", *PERCENTS):
        entry.pop(key, None)
