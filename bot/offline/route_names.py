"""Routes as they are named on the command line: `main`, `#0`, `tcp:#0`, `reviews-gateway/main`."""

import shlex
from collections.abc import Sequence

from bot.mesh.choice import delegated
from bot.mesh.documents import Document
from bot.mesh.places import Place, own_places, places_to
from strategies.reasons import ReasonCode, Refused


def by_option(places: Sequence[Place], host: str) -> str:
    """The words that name every one of the places; the reader keeps those that shall move."""
    options = " ".join(f"--route {shlex.quote(name)}" for name in _shortest(places))
    return f"Name the ones to move with --route: {options}"


def named_places(documents: Sequence[Document], host: str, named: Sequence[str]) -> Sequence[Place] | Refused:
    """The place of each name; refused where a name leads nowhere, or to several."""
    every = [each for document in documents for each in own_places(document)]
    leading = [each for document in documents for each in places_to(document, host)]
    chosen: list[Place] = []
    for name in named:
        found = [each for each in leading if name in _names(each)]
        if len(found) > 1:
            listed = ", ".join(place.position for place in found)
            text = f'Several routes to {host} are called "{name}": {listed}. {by_option(found, host)}'
            return Refused(ReasonCode.AMBIGUOUS_ROUTE, text)
        if not found:
            return _nowhere(host, name, [each for each in every if name in _names(each)], leading)
        if all(each.entry is not found[0].entry for each in chosen):
            chosen.append(found[0])
    return chosen


def _nowhere(host: str, name: str, elsewhere: Sequence[Place], leading: Sequence[Place]) -> Refused:
    """Why the name is no route to the host, with the names of those that are."""
    if elsewhere and "delegate" in elsewhere[0].entry:
        return delegated(elsewhere[0])
    if elsewhere:
        return Refused(ReasonCode.NO_ROUTE, f"{elsewhere[0].position} does not lead to {host}.")
    listed = ", ".join(_shortest(leading)) or "none"
    return Refused(ReasonCode.NO_ROUTE, f'No route to {host} is called "{name}"; its routes are: {listed}.')


def _names(place: Place) -> list[str]:
    """Every name of the place, the shortest first."""
    route = place.route
    plain = list(dict.fromkeys((route.name, f"#{place.number}")))
    listed = [f"{route.protocol}:{each}" for each in plain]
    homes = (route.virtual_service, f"{route.namespace}/{route.virtual_service}")
    return [*plain, *listed, *(f"{home}/{each}" for home in homes for each in (*plain, *listed))]


def _shortest(places: Sequence[Place]) -> list[str]:
    """For each place the shortest name that no other of them has."""
    names = [_names(each) for each in places]
    found = []
    for n, own in enumerate(names):
        taken = {name for m, others in enumerate(names) if m != n for name in others}
        found.append(next((name for name in own if name not in taken), own[-1]))
    return found
