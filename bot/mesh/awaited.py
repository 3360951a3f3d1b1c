"""What a release that waits for the cluster waits for, and whose pods are about it."""

from collections.abc import Mapping

from bot.mesh.capacity import shortage
from bot.mesh.readiness import readiness
from bot.mesh.view import View
from bot.mesh.workloads import selector_of
from strategies.reasons import Refused
from strategies.release import Phase, Release, Target


def awaited(view: View, release: Release) -> str:
    """What preparing, or the next increase, would be told is missing; empty where there is something to do."""
    if release.phase is Phase.SHIFTING:
        return shortage(view, release)
    found = (readiness(view, target) for target in release.targets)
    return next((each.text for each in found if isinstance(each, Refused)), "")


def picks(view: View, target: Target, labels: Mapping[str, str]) -> bool:
    """True when pods with these labels may be the candidate's; no labels may be anybody's."""
    if not labels:
        return True
    if labels.get(target.version_label) != target.candidate:
        return False
    selector = selector_of(view, target) or {}
    return selector.items() <= labels.items()
