"""Which buttons a release shows now, and what each confirm says."""

from bot.slack.blocks import Block, Confirm, actions, button
from bot.slack.buttons import APPROVE, DRIFT, PAUSE, RESUME, ROLL_BACK, Place
from bot.slack.headlines import next_share
from strategies import amount
from strategies.events import DriftChoice
from strategies.release import Phase, Release


def place(release: Release) -> Place:
    """The present question of a release."""
    return Place(release.id, release.stage, release.revision)


def question(release: Release) -> Block | None:
    """The row of buttons, None when nobody can do anything any more."""
    shown = _buttons(release)
    return actions(place(release).block_id, shown) if shown else None


def confirm_missing(release: Release, missing: str) -> Block:
    """The one button of an approval that goes against missing evidence; its confirm names what is missing."""
    return actions(place(release).block_id, [_approve(release, missing, acknowledged=True)])


def _buttons(release: Release) -> list[Block]:
    match release.phase:
        case Phase.SCHEDULED:
            return [_roll_back(release, "Call off")]
        case Phase.PREPARING | Phase.SHIFTING | Phase.OBSERVING | Phase.SOAKING | Phase.DECOMMISSIONING:
            return [_pause(release), _roll_back(release)]
        case Phase.AWAITING_APPROVAL:
            return [*_approvals(release), _pause(release), _roll_back(release)]
        case Phase.PAUSED if release.drift:
            return [*_drift(release), _roll_back(release)]
        case Phase.PAUSED:
            # A failing gate is answered by a rollback or an override, so going on is no button.
            going_on = [] if release.failing() else [_resume(release, "Resume")]
            return [*going_on, _roll_back(release)]
        case Phase.STUCK:
            back = [] if release.is_going_back else [_roll_back(release)]
            return [_resume(release, "Try again"), *back]
        case Phase.ROLLING_BACK | Phase.ROLLED_BACK | Phase.COMPLETED:
            return []


def _approvals(release: Release) -> list[Block]:
    if release.failing():
        return []
    missing = "; ".join(f"{verdict.gate}: {verdict.missing or verdict.reason}" for verdict in release.waiting())
    return [_approve(release, missing, acknowledged=bool(missing))]


def _approve(release: Release, missing: str, acknowledged: bool) -> Block:
    share = next_share(release) or "100 %"
    last = len(release.plan.stages) - 1
    effect = amount.effect(release, min(release.stage + 1, last))
    text = f"{effect} Still missing: {missing}" if missing else effect
    yes = "Approve without it" if missing else f"Approve {share}"
    title = f"Approve {share} without enough evidence?" if missing else f"Approve {share}?"
    return button(
        f"Approve {share}",
        APPROVE,
        place(release).value(acknowledged),
        Confirm(title, text, yes, is_danger=bool(missing)),
        style="" if missing else "primary",
    )


def _pause(release: Release) -> Block:
    share = amount.wanted(release)
    confirm = Confirm(
        "Pause here?",
        f"{release.target.candidate} keeps {share} of {release.target.service}; nothing advances until "
        "somebody resumes. Harm still rolls back.",
        "Pause",
    )
    return button("Pause", PAUSE, place(release).value(), confirm)


def _resume(release: Release, label: str) -> Block:
    effect = (
        f"{release.id} goes on where it stood, with {amount.wanted(release)} of {release.target.service} on "
        f"{release.target.candidate}."
    )
    return button(label, RESUME, place(release).value(), Confirm(f"{label}?", effect, label), style="primary")


def _roll_back(release: Release, label: str = "Roll back") -> Block:
    target = release.target
    effect = f"Send all production traffic of {target.service} back to {target.baseline}, now."
    split = release.wanted(target.service)
    if split is not None and not split.serves(target.candidate):
        effect = f"Mirror no request of {target.service} any more, now; {target.baseline} serves everything throughout."
    if release.phase is Phase.SCHEDULED:
        effect = f"{release.id} does not start; {target.baseline} keeps all traffic of {target.service}."
    return button(
        label,
        ROLL_BACK,
        place(release).value(),
        Confirm(f"{label}?", effect, label, is_danger=True),
        style="danger",
    )


def _drift(release: Release) -> list[Block]:
    target, value = release.target, place(release).value()
    adopt = Confirm("Adopt the change?", f"What stands in the route now becomes the plan of {release.id}.", "Adopt")
    restore = Confirm(
        "Restore our split?",
        f"Write {amount.wanted(release)} of {target.service} to {target.candidate} again, over the other change.",
        "Restore",
        is_danger=True,
    )
    stop = Confirm("Stop the release?", f"Send all traffic of {target.service} back to {target.baseline}.", "Stop")
    offered = (
        (DriftChoice.ADOPT, "Adopt", adopt),
        (DriftChoice.RESTORE, "Restore", restore),
        (DriftChoice.STOP, "Stop", stop),
    )
    # What is no split of the two versions cannot become the plan.
    is_split = release.drift is not None and release.drift.split is not None
    return [
        button(label, DRIFT[choice], value, confirm)
        for choice, label, confirm in offered
        if is_split or choice is not DriftChoice.ADOPT
    ]
