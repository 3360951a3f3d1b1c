"""What the mesh should carry for a release, computed from its stored state at the moment of writing."""

from collections.abc import Sequence

from bot.ports import RouteOrder
from strategies.plan import Plan
from strategies.release import Phase, Release, Target
from strategies.routing import Route, Split

SILENT = frozenset({Phase.SCHEDULED, Phase.PREPARING, Phase.COMPLETED})


def orders(release: Release, name: str) -> Sequence[RouteOrder]:
    """The orders for the routes of VirtualService `name`; empty when nothing of ours should be written now."""
    return _orders(release, name) if _may_write(release) else ()


def settled(release: Release, name: str) -> Sequence[RouteOrder]:
    """The orders that `name` must carry now; empty while a write is under way or somebody's edit is known already.

    A write compares by itself, and a rollback overwrites whatever it finds.
    """
    if not release.is_confirmed or release.is_going_back or release.drift:
        return ()
    return orders(release, name)


def back(release: Release, name: str) -> Sequence[RouteOrder]:
    """The original fields of a release that is rolled back: for a worker that stalled and wrote after it was over."""
    return _orders(release, name) if release.is_going_back else ()


def left_behind(release: Release, name: str) -> Sequence[RouteOrder]:
    """The orders whose original fields stand again, beside which nothing of ours may stay; empty before that."""
    is_back = release.is_going_back or (release.is_leaving and release.is_confirmed)
    return _orders(release, name) if is_back else ()


def _orders(release: Release, name: str) -> Sequence[RouteOrder]:
    return tuple(
        RouteOrder(
            release=release.id,
            revision=release.revision,
            route=route,
            target=target,
            split=release.wanted(target.service),
            original=release.originals.get(route.key, ""),
            expected=last_written(release, target),
            force=release.overwrites or release.is_going_back,
            earlier=tuple(splits[target.service] for splits in release.replaced if target.service in splits),
        )
        for target, route in routes(release, name)
    )


def routes(release: Release, name: str) -> Sequence[tuple[Target, Route]]:
    """Every route of the release that stands in VirtualService `name` (`namespace/name`)."""
    return [
        (target, route)
        for target in release.targets
        for route in target.routes
        if f"{route.namespace}/{route.virtual_service}" == name
    ]


def last_written(release: Release, target: Target) -> Split | None:
    """The split that was last read back everywhere, None for the original fields."""
    if release.is_leaving and release.written == release.stage:
        return None
    return release.plan.stages[release.written].splits[target.service] if release.written >= 0 else None


def _may_write(release: Release) -> bool:
    if release.is_going_back:
        return release.phase is not Phase.ROLLED_BACK
    # Who paused before the write was done does not want it any more; resuming asks for it again.
    if release.phase is Phase.PAUSED and not release.is_confirmed:
        return False
    return release.phase not in SILENT and release.current is not None


def first(target: Target, plan: Plan, name: str) -> Sequence[RouteOrder]:
    """What the first stage that sends anything would order for VirtualService `name`: for previews of a plan."""
    split = plan.opening(target.service, target.candidate).splits[target.service]
    return tuple(
        RouteOrder("preview", 1, route, target, split)
        for route in target.routes
        if f"{route.namespace}/{route.virtual_service}" == name
    )
