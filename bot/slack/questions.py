"""Which buttons a release shows now, and what each confirm says."""

from bot.slack.blocks import Block, Confirm, actions, button
from bot.slack.buttons import APPROVE, DRIFT, PAUSE, RESUME, ROLL_BACK, Place
from bot.slack.headlines import next_share
from bot.slack.text import span
from strategies import amount
from strategies.events import DriftChoice
from strategies.release import Decommission, Phase, Release


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
        case Phase.DECOMMISSIONING if release.asked_at is not None:
            return [_let_go(release), _pause(release), _roll_back(release)]
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
        case Phase.COMPLETED:
            return [] if release.is_leaving else [_roll_back(release)]
        case Phase.ROLLING_BACK | Phase.ROLLED_BACK:
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


def _let_go(release: Release) -> Block:
    target, is_deleted = release.target, release.rules.decommission is Decommission.DELETE
    label = f"Delete {target.baseline}" if is_deleted else f"Scale {target.baseline} to 0"
    deed = f"Delete {target.baseline}" if is_deleted else f"Scale {target.baseline} to 0 pods"
    effect = f"{deed} in {target.service}, once it is proven again that nothing calls it."
    # A confirm has room for the sentence alone; the lines of access logs below it stand in the thread.
    proof = next(iter(release.proof.splitlines()), "")
    confirm = Confirm(f"{label}?", f"{effect} {proof}", label, is_danger=True)
    return button(label, APPROVE, place(release).value(), confirm, style="primary")


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
    elif warm_up(release):
        effect = f"{warm_up(release)} Then all production traffic of {target.service} goes back to it."
    return button(
        label,
        ROLL_BACK,
        place(release).value(),
        Confirm(f"{label}?", effect, label, is_danger=True),
        style="danger",
    )


def warm_up(release: Release) -> str:
    """What a rollback does before traffic moves, and how long that takes; empty while the baseline is warm."""
    baseline, size = release.target.baseline, max(release.sizes.values(), default=0)
    if release.is_cold:
        state = "was deleted and is created again" if release.kept else "is scaled to 0"
    elif release.baseline_ready == 0 and not release.is_over:
        state = "has no ready pod"
    else:
        return ""
    wanted = f" to {size}" if size else ""
    taken = f"about {span(release.warm_up)}, as its pods took before" if release.warm_up else "how long is not known"
    return f"{baseline} {state}: it is scaled up{wanted} first, and traffic waits for its ready pods ({taken})."


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
