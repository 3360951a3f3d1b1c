"""Where a release stands, in one line: a coloured sign, and the same in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.slack.text import plain_moment, shorten, span
from strategies.amount import amounts, wanted
from strategies.release import Phase, Release


@dataclass(frozen=True, slots=True)
class Headline:
    """A sign for the eye and words for everybody else."""

    sign: str
    words: str


def headline(release: Release, now: datetime) -> str:
    """`🟢 reviews v2 · canary 25 % · holding 6/10 min`."""
    found = standing(release, now)
    return f"{found.sign} {release.target.service} {release.target.candidate} · {found.words}"


def standing(release: Release, now: datetime) -> Headline:
    """What is going on, without naming the release."""
    share = f"{part(release)} {fit_amount(wanted(release))}"
    match release.phase:
        case Phase.SCHEDULED:
            when = plain_moment(release.starts_at, now) if release.starts_at else "as soon as told"
            return Headline("⚪", f"scheduled · starts {when}")
        case Phase.SHIFTING:
            return Headline("🔵", f"{share} · {'waiting to see it in traffic' if release.is_confirmed else 'applying'}")
        case Phase.OBSERVING:
            return _observing(release, share, now)
        case Phase.AWAITING_APPROVAL:
            return Headline("🟡", f"{share} · {_question(release)}")
        case Phase.PAUSED:
            return Headline("🟠", f"{share} · {_paused(release)}")
        case Phase.STUCK:
            return Headline("🔴", _stuck(release))
        case Phase.SOAKING:
            left = f" for {span(release.soak_until - now)}" if release.soak_until and release.soak_until > now else ""
            return Headline("🟢", f"100 % · soaking, {release.target.baseline} kept warm{left}")
        case Phase.COMPLETED | Phase.ROLLED_BACK:
            return _ended(release)
        case Phase.DECOMMISSIONING if release.asked_at is not None:
            return Headline("🟡", f"100 % · retiring {release.target.baseline} needs approval")
        case _:
            return _PLAIN[release.phase](release.target.baseline)


# Phases that need no more than the baseline's name to be told.
_PLAIN: Mapping[Phase, Callable[[str], Headline]] = {
    Phase.PREPARING: lambda _: Headline("🔵", "preparing · no traffic moved yet"),
    Phase.DECOMMISSIONING: lambda baseline: Headline("🔵", f"100 % · retiring {baseline}"),
    Phase.ROLLING_BACK: lambda baseline: Headline("🔴", f"rolling back to {baseline} · applying"),
}


def _ended(release: Release) -> Headline:
    baseline = release.target.baseline
    if release.phase is Phase.COMPLETED:
        left = f"shadow over, {baseline} serves 100 %" if release.is_leaving else "100 %"
        return Headline("✅", f"complete · {left}")
    if release.gone:
        return Headline("🔴", f"rolled back · {', '.join(sorted(release.gone))} was deleted by somebody")
    how = "rolled back" if release.stage >= 0 else "called off before any traffic moved"
    return Headline("⏪", f"{how} · {baseline} serves 100 %")


def part(release: Release) -> str:
    """The strategy that is at work now: in a pipeline the part, with its place among the parts."""
    parts = release.plan.parts
    if len(parts) == 1:
        return str(release.plan.strategy)
    stage = release.current or release.plan.stages[0]
    here = stage.part or release.plan.strategy
    return f"{here} ({parts.index(here) + 1}/{len(parts)})"


def next_share(release: Release) -> str:
    """What the candidate gets in the stage after this one, empty at the last."""
    return fit_amount(amounts(release)[release.stage + 1]) if release.following is not None else ""


def fit_amount(text: str) -> str:
    """An amount short enough for a line with others."""
    # Plain text has no escapes, and the notice of the same words would take a pattern's brackets for a mention.
    return shorten(text.replace("<", "‹").replace(">", "›"), 40)


def _observing(release: Release, share: str, now: datetime) -> Headline:
    sign = "🟠" if release.failing() else "🟢"
    stage = release.current
    if release.hold_until and stage and now < release.hold_until:
        held = max(stage.hold - (release.hold_until - now), stage.hold * 0)
        return Headline(sign, f"{share} · holding {_progress(held.total_seconds(), stage.hold.total_seconds())}")
    if release.waiting() or not release.verdicts:
        return Headline("🟡" if sign == "🟢" else sign, f"{share} · gathering evidence")
    return Headline(sign, f"{share} · checking")


def _progress(done: float, whole: float) -> str:
    if whole >= 120:
        return f"{int(done // 60)}/{whole / 60:g} min"
    return f"{int(done)}/{whole:g} s"


def _question(release: Release) -> str:
    if release.failing():
        return "a gate fails, decide"
    to = next_share(release)
    return f"{to} needs approval" if to else "needs approval"


def _paused(release: Release) -> str:
    if release.drift:
        return "route changed by hand, decide"
    return "paused, a gate fails" if release.failing() else "paused"


def _stuck(release: Release) -> str:
    if release.is_going_back:
        return "stuck while rolling back · trying on, needs you"
    return f"stuck at {fit_amount(wanted(release))} · needs you"
