"""The names of routes that we insert: they say which release took which route's requests."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"sluice-(?P<release>[^:]+):(?P<route>.+):(?P<n>\d+)", re.DOTALL)


def inserted_name(release: str, route: str, n: int) -> str:
    """`sluice-reviews-1:main:1`."""
    return f"sluice-{release}:{route}:{n}"


def release_of(entry: Mapping[str, Any]) -> str:
    """The release that inserted the route, empty when its name is not one of ours."""
    found = _NAME.fullmatch(str(entry.get("name") or ""))
    return found["release"] if found else ""


def release_for(entry: Mapping[str, Any], route: str) -> str:
    """The release that inserted the entry before this targeted route, empty when none did."""
    found = _NAME.fullmatch(str(entry.get("name") or ""))
    return found["release"] if found and found["route"] == route else ""
