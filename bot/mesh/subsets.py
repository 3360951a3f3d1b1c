"""The candidate's subset: wherever a rule knows the baseline's, it is added, waited for, and missed when gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.mesh.destination_rule import add_subset, hand_over, ours, remove_added, rules_of, subset_named, version_of
from bot.mesh.documents import Document, canonical, controller_of, full_name, namespace_of
from bot.mesh.drift import last_editor
from bot.mesh.retirement import users_of
from bot.mesh.view import View
from bot.ports import RouteOrder
from strategies.reasons import ReasonCode, Refused
from strategies.release import Drift, Target


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A DestinationRule as it stands and as the release needs it."""

    before: Document
    after: Document


def missing_subset(view: View, target: Target, release: str, now: datetime) -> RuleChange | Refused | None:
    """The next rule that lacks the candidate's subset, with it added (or taken over from an earlier release).

    None when all is there. Refused where it cannot be added, or stands for something else.
    """
    known = _knowing(view, target)
    if not known:
        text = f"No DestinationRule of {target.host} has the subset {_subset(target, target.baseline)}."
        return Refused(ReasonCode.NO_SUBSET, text)
    for rules in known:
        change = _missing(rules, target, release, now)
        if change is not None:
            return change
    return None


def wait_for_subset(view: View, order: RouteOrder, now: datetime, propagation: timedelta) -> float | None:
    """Seconds until proxies know the candidate's subset: 0 when they do, None when a rule lacks it."""
    target = order.target
    if order.split is None or not order.split.reaches(target.candidate):
        return 0.0
    needed = _knowing(view, target)
    # A baseline that was retired is known nowhere any more: then one rule with the candidate is enough.
    every = needed or list(_together(rules_of(view.destination_rules(), target.host, "")))
    left = [_left(rules, _subset(target, target.candidate), now, propagation) for rules in every]
    known = [seconds for seconds in left if seconds is not None]
    return max(known) if known and (len(known) == len(left) or not needed) else None


def lost_subset(view: View, orders: Sequence[RouteOrder], now: datetime) -> Drift | None:
    """The candidate's subset that a split needs and somebody took away: requests of it would find no pods."""
    for order in orders:
        if wait_for_subset(view, order, now, timedelta(0)) is not None:
            continue
        target, name = order.target, _subset(order.target, order.target.candidate)
        rules = next((each for each in _knowing(view, target) if subset_named(each, name) is None), None)
        if rules is None:
            text = f"No DestinationRule of {target.host} has the subset {name} any more"
            return Drift(f"the DestinationRules of {target.host}", text, "somebody", None)
        known = subset_named(rules, _subset(target, target.baseline))
        rule = known[0] if known is not None else rules[0]
        text = f"DestinationRule {full_name(rule)} has no subset {name} any more, which {target.candidate} needs"
        return Drift(f"DestinationRule {full_name(rule)}", text, last_editor(rule), None)
    return None


def leftover(view: View, order: RouteOrder) -> list[Document]:
    """The rules without the subset that this release added; empty while any route names it."""
    target = order.target
    rules = rules_of(view.destination_rules(), target.host, order.route.namespace)
    found = [after for rule in rules if (after := remove_added(rule, order.release)) is not None]
    in_use = bool(found) and any(users_of(view, target.host, _subset(target, target.candidate)))
    return [] if in_use else found


def _missing(rules: Sequence[Document], target: Target, release: str, now: datetime) -> RuleChange | Refused | None:
    name = _subset(target, target.candidate)
    present = subset_named(rules, name)
    if present is not None:
        rule, subset = present
        found = version_of(subset, target.version_label)
        if found != target.candidate:
            selects = f"{target.version_label}={found}" if found else f"no {target.version_label}"
            text = f"Subset {name} of DestinationRule {full_name(rule)} selects {selects}, not {target.candidate}."
            return Refused(ReasonCode.NO_SUBSET, text)
        after = hand_over(rule, name, release)
        return RuleChange(rule, after) if after is not None else None
    beside = subset_named(rules, _subset(target, target.baseline))
    if beside is None:  # these rules were chosen by it
        raise AssertionError(f"no subset of {target.baseline}")
    rule, neighbour = beside
    owner = controller_of(rule)
    if owner is not None:
        text = f"DestinationRule {full_name(rule)} belongs to {owner}; add the subset {name} there."
        return Refused(ReasonCode.FOREIGN_OWNER, text)
    labels = {target.version_label: target.candidate}
    return RuleChange(rule, add_subset(rule, name, labels, str(neighbour["name"]), (release, now)))


def _left(rules: Sequence[Document], name: str, now: datetime, propagation: timedelta) -> float | None:
    present = subset_named(rules, name)
    if present is None:
        return None
    added = ours(present[0]).get(name)
    return 0.0 if added is None else max(0.0, (added.at + propagation - now).total_seconds())


def _knowing(view: View, target: Target) -> list[Sequence[Document]]:
    """The rules that know the baseline's subset, in the groups that proxies read together.

    A caller reads the rules of its own namespace, of the service's or of the mesh's root: which ones, only its proxy
    knows. Those that serve the baseline today must serve the candidate too.
    """
    rules = rules_of(view.destination_rules(), target.host, target.routes[0].namespace)
    return [each for each in _together(rules) if subset_named(each, _subset(target, target.baseline)) is not None]


def _together(rules: Sequence[Document]) -> Iterator[Sequence[Document]]:
    """Istio merges the rules of one host in one namespace; those of a workload selector stand alone."""
    groups: dict[tuple[str, str], list[Document]] = {}
    for rule in rules:
        selector = canonical((rule.get("spec") or {}).get("workloadSelector"))
        groups.setdefault((namespace_of(rule), selector), []).append(rule)
    yield from groups.values()


def _subset(target: Target, version: str) -> str:
    return target.subsets.get(version, version)
