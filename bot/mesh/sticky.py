"""The cookie that keeps a person at one version: the routes that read it, and the headers that set it.

A person at the candidate stays there. A person at the baseline stays until the share grows; then as many of them move
as the larger share needs. Whoever brings no cookie is drawn by the weights. Without our routes the cookie does nothing,
and its name ends with the release.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.mesh.documents import Document
from bot.mesh.places import host_of, subset_of
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import Match, Sticky

SET_COOKIE = "Set-Cookie"
WEEK = 7 * 24 * 3600
# No version's name has this sign in it.
GENERATION = "~"


def cookie_of(release: str) -> str:
    """The cookie's name."""
    return f"sluice-{release}"


def pins(sticky: Sticky | None, release: str, target: Target) -> tuple[Match, ...]:
    """Who keeps the candidate, who keeps the baseline, and who is drawn again because the share has grown."""
    if sticky is None:
        return ()
    on = f"cookie:{cookie_of(release)}"
    kept = Match(on, target.candidate, exact=target.candidate)
    left = Match(on, target.baseline, exact=_left(sticky, target))
    if not sticky.rise:
        return kept, left
    return kept, left, Match(on, target.candidate, prefix=f"{target.baseline}{GENERATION}", share=sticky.rise)


def dress(
    destinations: Sequence[Document], namespace: str, target: Target, wanted: tuple[Sticky, str]
) -> Refused | None:
    """Make each destination of the two versions set the cookie of its version; `wanted` is what and for which release.

    Refused with BAD_INPUT where a destination adds a Set-Cookie of its own: a map has room for one.
    """
    for each, version in _ours(destinations, namespace, target):
        added = each.setdefault("headers", {}).setdefault("response", {}).setdefault("add", {})
        if any(name.lower() == SET_COOKIE.lower() for name in added):
            text = f"The destination {version} adds a {SET_COOKIE} itself, so no cookie can keep people there."
            return Refused(ReasonCode.BAD_INPUT, text)
        added[SET_COOKIE] = _value(version, target, wanted)
    return None


def is_dressed(destinations: Sequence[Document], namespace: str, target: Target, wanted: tuple[Sticky, str]) -> bool:
    """True when each destination that gets requests sets the cookie of its version."""
    return all(
        _added(each).get(SET_COOKIE) == _value(version, target, wanted)
        for each, version in _ours(destinations, namespace, target)
        if each.get("weight") or len(destinations) == 1
    )


def undress(destinations: Sequence[Document], release: str) -> None:
    """Take our cookie out of every destination, and what stood there only for it."""
    for each in destinations:
        if not str(_added(each).get(SET_COOKIE, "")).startswith(f"{cookie_of(release)}="):
            continue
        del each["headers"]["response"]["add"][SET_COOKIE]
        for holder, key in ((each["headers"]["response"], "add"), (each["headers"], "response"), (each, "headers")):
            if not holder[key]:
                del holder[key]


def _ours(destinations: Sequence[Document], namespace: str, target: Target) -> list[tuple[Document, str]]:
    versions = {target.subsets.get(version, version): version for version in (target.baseline, target.candidate)}
    return [
        (each, versions[subset_of(each)])
        for each in destinations
        if host_of(each, namespace) == target.host and subset_of(each) in versions
    ]


def _value(version: str, target: Target, wanted: tuple[Sticky, str]) -> str:
    sticky, release = wanted
    value = version if version == target.candidate else _left(sticky, target)
    return f"{cookie_of(release)}={value}; Path=/; Max-Age={WEEK}; HttpOnly; SameSite=Lax"


def _left(sticky: Sticky, target: Target) -> str:
    return f"{target.baseline}{GENERATION}{sticky.generation}"


def _added(destination: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (((destination.get("headers") or {}).get("response") or {}).get("add")) or {}
    return found if isinstance(found, dict) else {}
