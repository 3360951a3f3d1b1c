"""What a split carries beside its weights, in one document: inserted routes, a mirror, and the note of both."""

import json

from bot.mesh import inserted, mirrors, sticky
from bot.mesh.added import NOTHING, Added, added, note
from bot.mesh.destinations import leading_to
from bot.mesh.documents import Document, full_name, namespace_of
from bot.mesh.names import release_for
from bot.ports import RouteOrder
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Mirror, Split, Sticky


def read(document: Document, entry: Document, route: str, target: Target) -> Added | Refused:
    """What stands beside the weights of `entry` and is ours; refused with DRIFT when it is not as we wrote it."""
    entries: list[Document] = document["spec"]["http"]
    noted = added(document, route)
    owners = sorted({release_for(each, route) for each in entries} - {""} | noted.keys())
    if not owners:
        return NOTHING
    known = noted.get(owners[0], NOTHING)
    mirror = _mirror(entry, namespace_of(document), target, known.mirror)
    if len(owners) > 1 or isinstance(mirror, Refused):
        return mirror if isinstance(mirror, Refused) else _drift(document, route, f"routes of {', '.join(owners)}")
    label = (owners[0], route)
    present = inserted.present(entries, label)
    if not present:
        return Added((), mirror)
    matches = (*known.matches, *sticky.pins(known.sticky, owners[0], target))
    wanted = inserted.render(entry, matches, target, namespace_of(document), label)
    is_whole = not isinstance(wanted, Refused) and inserted.are_alike(present, wanted)
    if not is_whole or not inserted.stand_before(entries, entry, label):
        return _drift(document, route, "the routes inserted for its matches")
    if known.sticky is not None and not sticky.is_dressed(
        entry["route"], namespace_of(document), target, (known.sticky, owners[0])
    ):
        return _drift(document, route, "the cookies that its destinations set")
    return Added(known.matches, mirror, known.sticky)


def write(document: Document, entry: Document, order: RouteOrder, split: Split) -> Refused | None:
    """Make the document carry the split's matches, cookie and mirror, and nothing of ours besides.

    Refused with FOREIGN_MIRROR when somebody else's mirror stands where ours would, with BAD_INPUT when a match cannot
    be asked for on top of the route's own.
    """
    _remove_mirror(document, entry, order)
    namespace, label = namespace_of(document), _label(order)
    sticky.undress(entry["route"], label[0])
    matches = (*split.matches, *sticky.pins(split.sticky, label[0], order.target))
    wanted = inserted.render(entry, matches, order.target, namespace, label)
    if isinstance(wanted, Refused):
        return wanted
    if split.sticky is not None:
        refusal = _dressed(
            [entry, *(each for each in wanted if len(each["route"]) > 1)], order, split.sticky, namespace
        )
        if refusal is not None:
            return refusal
    inserted.put(document["spec"]["http"], entry, label, wanted)
    if split.mirror is not None:
        if mirrors.has_mirror(entry):
            text = f'{full_name(document)} route "{order.route.name}" has a mirror of its own, which is not replaced.'
            return Refused(ReasonCode.FOREIGN_MIRROR, text)
        destination = leading_to(entry["route"], namespace, order.target, split.mirror.to)
        mirrors.write(entry, destination, split.mirror)
    if order.release:
        note(document, order.release, order.route.name, Added(split.matches, split.mirror, split.sticky))
    return None


def _dressed(entries: list[Document], order: RouteOrder, cookie: Sticky, namespace: str) -> Refused | None:
    """Who is drawn gets a cookie: by the route's own weights, or because the share has grown."""
    wanted = (cookie, _label(order)[0])
    refusals = (sticky.dress(each["route"], namespace, order.target, wanted) for each in entries)
    return next((each for each in refusals if each is not None), None)


def remove(document: Document, entry: Document, order: RouteOrder) -> None:
    """Take our matches, our cookie and our mirror out again."""
    _remove_mirror(document, entry, order)
    sticky.undress(entry.get("route") or [], _label(order)[0])
    inserted.put(document["spec"]["http"], entry, _label(order), [])
    if order.release:
        note(document, order.release, order.route.name, NOTHING)


def _label(order: RouteOrder) -> tuple[str, str]:
    # A plan for a file belongs to no release yet: its routes are called after the service.
    return order.release or order.target.service, order.route.name


def _mirror(entry: Document, namespace: str, target: Target, known: Mirror | None) -> Mirror | Refused | None:
    if known is None or not mirrors.leads_to(entry, namespace, target, known.to):
        return None
    percent = mirrors.percent_of(entry)
    if not 0 < percent <= HUNDRED:
        return Refused(ReasonCode.DRIFT, f"The mirror to {known.to} takes {percent} %.")
    return Mirror(known.to, percent)


def _remove_mirror(document: Document, entry: Document, order: RouteOrder) -> None:
    """Ours leads to a version that we mirrored to, on a route that had no mirror before; another one stays."""
    if order.original and mirrors.has_mirror(json.loads(order.original)):
        return
    noted = added(document, order.route.name).get(order.release, NOTHING).mirror
    ours = [noted, *(split.mirror for split in (order.expected, order.split) if split is not None)]
    namespace = namespace_of(document)
    if any(each is not None and mirrors.leads_to(entry, namespace, order.target, each.to) for each in ours):
        mirrors.remove(entry)


def _drift(document: Document, route: str, what: str) -> Refused:
    return Refused(ReasonCode.DRIFT, f'{full_name(document)} route "{route}": {what} were changed by hand.')
