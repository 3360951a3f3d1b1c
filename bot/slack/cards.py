"""The root message of a release: one message that always tells where it stands and what can be done."""

from bot.ports import Card
from bot.slack import evidence
from bot.slack.blocks import Block, Message, context, fields, header, section
from bot.slack.headlines import fit_amount, headline
from bot.slack.questions import place, question
from bot.slack.text import clock, code, code_block, escape, fit, link, moment, span
from strategies.amount import amounts
from strategies.release import Phase, Release

MOST_STEPS = 12


def root(card: Card, command: str) -> Message:
    """The live message of a release; `command` is the slash command it teaches."""
    release = card.release
    line = headline(release, card.now)
    blocks: list[Block | None] = [
        header(line),
        fields(_fields(card)),
        section(stage_line(release)),
        _note(release),
        _preflight(release),
        _difference(release),
        override_hint(release, command),
        question(release),
        context(_small_print(card), place(release).card_id),
    ]
    return Message(f"{line} · {release.id}", tuple(block for block in blocks if block is not None))


def stage_line(release: Release) -> str:
    """`✅ 5 % → ⏳ 25 % → ○ 50 % → ○ 100 %`."""
    steps = [f"{_step_sign(release, n)} {_step(release, n, share)}" for n, share in enumerate(amounts(release))]
    if len(steps) <= MOST_STEPS:
        return " → ".join(steps)
    # Around the present stage, so that a long plan still shows where it is.
    first = min(max(release.stage - MOST_STEPS // 2, 0), len(steps) - MOST_STEPS)
    shown = steps[first : first + MOST_STEPS]
    before = ["…"] if first else []
    after = ["…"] if first + MOST_STEPS < len(steps) else []
    return " → ".join([*before, *shown, *after]) + f"  (stage {max(release.stage, 0) + 1} of {len(steps)})"


def _step(release: Release, n: int, share: str) -> str:
    """The stage's amount, with the part's name where a part of a pipeline begins."""
    stages = release.plan.stages
    begins = stages[n].part is not None and (n == 0 or stages[n - 1].part is not stages[n].part)
    return f"*{stages[n].part}* {escape(fit_amount(share))}" if begins else escape(fit_amount(share))


def where(card: Card) -> str:
    """Cluster and namespace."""
    return f"{fit(card.cluster or 'cluster', 60)} · {fit(card.release.target.namespace, 63)}"


def requested_by(release: Release) -> str:
    """Who asked, without waking them."""
    return f"asked for by @{fit(release.requester.name, 60)}"


def links(card: Card) -> str:
    """The profile's links, empty when there are none."""
    return " · ".join(link(url, name) for name, url in list(card.links.items())[:6] if url)


def override_hint(release: Release, command: str) -> Block | None:
    """Why there is no approve button: what fails, and the two ways on."""
    if not release.failing() or release.phase not in {Phase.AWAITING_APPROVAL, Phase.PAUSED}:
        return None
    way = code(f"{command} override {release.id} <reason>")
    return section(f"{evidence.reasons(release.failing())}\nRoll back, or go on against it with {way}.")


def _fields(card: Card) -> list[tuple[str, str]]:
    release = card.release
    look = evidence.latest(card, release.stage)
    pairs = [("Asked", evidence.asked(card, release.stage))]
    is_looked_at = release.stage >= 0 and not release.asks_first
    if is_looked_at:
        pairs.append(("Measured", evidence.measured(look, release.target)))
    pairs.append(("From → to", f"{escape(release.target.baseline)} → {escape(release.target.candidate)}"))
    if is_looked_at and not release.is_over:
        pairs.append(("Gates", evidence.tally(evidence.verdicts_of(card, release.stage))))
    return pairs + _timers(release)


def _timers(release: Release) -> list[tuple[str, str]]:
    match release.phase:
        case Phase.SCHEDULED if release.starts_at:
            return [("Starts", moment(release.starts_at))]
        case Phase.OBSERVING if release.hold_until:
            return [("Held until", clock(release.hold_until))]
        case Phase.OBSERVING | Phase.AWAITING_APPROVAL if release.not_before:
            return [("Next increase", moment(release.not_before))]
        case Phase.SOAKING if release.soak_until:
            return [("Soaks until", clock(release.soak_until))]
        case Phase.COMPLETED | Phase.ROLLED_BACK:
            return [("Took", span(release.entered_at - release.created_at))]
        case _:
            return []


def _step_sign(release: Release, n: int) -> str:
    if n < release.stage or release.phase is Phase.COMPLETED:
        return "✅"
    if n > release.stage:
        return "○"
    match release.phase:
        case Phase.ROLLING_BACK | Phase.ROLLED_BACK:
            return "⏪"
        case Phase.PAUSED:
            return "⏸"
        case Phase.STUCK:
            return "🔴"
        case Phase.SOAKING | Phase.DECOMMISSIONING:
            return "✅"
        case _:
            return "⏳"


def _note(release: Release) -> Block | None:
    parts = [f"*Why:* {fit(release.note, 900)}"] if release.note else []
    if release.waits_for:
        parts.append(f"*Waits for:* {fit(release.waits_for, 400)}")
    return section("\n".join(parts)) if parts else None


def _preflight(release: Release) -> Block | None:
    """What the gates need, for as long as there is time to choose another plan."""
    if not release.preflight or release.stage > 0 or release.is_over:
        return None
    return context([f"preflight: {fit(release.preflight, 600)}"])


def _difference(release: Release) -> Block | None:
    if release.drift is None:
        return None
    who, what = fit(release.drift.by, 100), code(release.drift.object)
    return section(f"*{who}* changed {what}:\n{code_block(release.drift.difference, 1_500)}")


def _small_print(card: Card) -> list[str]:
    release = card.release
    parts = [where(card), requested_by(release), f"changed {moment(release.entered_at)}"]
    looked = evidence.newest(card)
    if looked and not release.is_over:
        parts.append(f"last look {clock(looked)}")
    return [f"`{escape(release.id)}` · " + " · ".join(parts), links(card)]
