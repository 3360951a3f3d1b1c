"""What the proxy counted in a story, held against what its stages asked for."""

from bot.sandbox.mesh.load import BETA_SHARE, INTERNAL_SHARE
from bot.sandbox.tour.report import StageReport
from bot.sandbox.tour.scene import BrokenError, Scene

# A share is a random draw: a right one lies outside once in 16,000 stages.
SHARE_SIGMAS = 4.0
# The proxy takes a split and counts go on: those of a fifth of a second may stand in the account before or after.
# Copies are counted when they have been answered, which nobody waits for.
STRAYS = 20


def check_shares(scene: Scene) -> None:
    """Each stage's measured share agrees with what was asked, by the proxy's own counters."""
    for stage in scene.report.stages:
        if not sum(stage.requests.values()):
            raise BrokenError(f"stage {stage.n} served no request")
        whole = sum(stage.requests.values())
        _agree(stage, _expected(stage), (stage.requests["v2"], whole), "the proxy served")
        if stage.mirror is not None:
            _agree(stage, stage.mirror / 100, (stage.mirrored, whole), "the proxy copied")
        for door, numbers in stage.doors.items():
            counted = (numbers["v2"], sum(numbers.values()))
            _agree(stage, stage.asked["v2"] / 100, counted, f"the {door} route served")


def _expected(stage: StageReport) -> float:
    """The share of all requests that v2 answers: its weight, and what the testers among the callers send it."""
    weight = stage.asked["v2"] / 100
    if not stage.matches:
        return weight
    inside = [
        int(part.rpartition(" ")[2]) / 100 for match in stage.matches for part in match.split(", ") if "v2 " in part
    ]
    group = INTERNAL_SHARE if any("x-user-group" in match for match in stage.matches) else BETA_SHARE
    return group * sum(inside) + (1 - group) * weight


def _agree(stage: StageReport, asked: float, counted: tuple[int, int], verb: str) -> None:
    number, whole = counted
    tolerance = SHARE_SIGMAS * (asked * (1 - asked) / whole) ** 0.5 + STRAYS / whole
    if abs(number / whole - asked) > tolerance:
        raise BrokenError(f"stage {stage.n} asked for {asked:.1%} and {verb} {number / whole:.1%}")
