"""The message of one stage in the thread: its snapshot, and its question or what was decided."""

from bot.ports import Card
from bot.slack import evidence
from bot.slack.blocks import Block, Message, context, divider, fields, header, section
from bot.slack.cards import links, override_hint, requested_by, where
from bot.slack.headlines import fit_amount, next_share, standing
from bot.slack.questions import place, question
from bot.slack.text import clock, count, escape, fit, mention, span
from strategies.amount import amounts
from strategies.release import Approval, NoAnswer, Phase, Release


def stage(card: Card, n: int, command: str) -> Message:
    """The message of stage `n`, whether it is asked about now or was decided long ago."""
    release = card.release
    line = _headline(card, n)
    # What is looked at until the next split is written says nothing of a stage that only asks.
    verdicts = () if release.only_asks(n) else evidence.verdicts_of(card, n)
    blocks: list[Block | None] = [
        header(line),
        fields(_fields(card, n)),
        section(evidence.table(verdicts)) if verdicts else section(_unseen(release, n)),
        section(evidence.reasons(verdicts)) if evidence.reasons(verdicts) else None,
        context(_small_print(card, n), place(release).card_id),
        divider(),
        *_question_or_decision(card, n, command),
    ]
    return Message(f"{line} · {release.id}", tuple(block for block in blocks if block is not None))


def _headline(card: Card, n: int) -> str:
    release = card.release
    name = f"{release.target.service} {release.target.candidate} · stage {n + 1}/{len(release.plan.stages)}"
    if _is_over(release, n):
        sign, words = _outcome(release, n)
        return f"{sign} {name} · {_share(release, n)} · {words}"
    if release.phase is Phase.AWAITING_APPROVAL and next_share(release):
        sign = "🔴" if release.failing() else "🟡"
        return f"{sign} {name} · {_share(release, n)} → {next_share(release)} needs approval"
    now = standing(release, card.now)
    return f"{now.sign} {name} · {now.words}"


def _fields(card: Card, n: int) -> list[tuple[str, str]]:
    release, target = card.release, card.release.target
    split = release.plan.stages[n].splits[target.service]
    traffic = (
        f"baseline {split.share(target.baseline).normalize():f} / "
        f"candidate {split.share(target.candidate).normalize():f}"
    )
    beside = evidence.beside(split)
    name = release.plan.stages[n].part or release.plan.strategy
    return [
        ("Strategy", escape(f"{name} {target.baseline} → {target.candidate}")),
        ("Traffic asked", f"{traffic} · {beside}" if beside else traffic),
        *([] if release.only_asks(n) else _evidence(card, n)),
        ("Cluster", where(card)),
    ]


def _evidence(card: Card, n: int) -> list[tuple[str, str]]:
    return [
        ("Measured", evidence.measured(evidence.latest(card, n), card.release.target)),
        ("Gates", evidence.tally(evidence.verdicts_of(card, n))),
        ("Held", _held(card, n)),
    ]


def _unseen(release: Release, n: int) -> str:
    if release.only_asks(n):
        candidate = escape(release.target.candidate)
        return f"This stage sends nothing to {candidate}: approvers are asked before anything moves."
    return "No look has been taken at this stage."


def _held(card: Card, n: int) -> str:
    release = card.release
    looks = [look for look in card.looks if look.stage == n]
    began = release.stage_began_at if n == release.stage else min((look.reading.since for look in looks), default=None)
    ended = card.now if n == release.stage and not release.is_over else max((look.at for look in looks), default=None)
    held = span(ended - began) if began and ended and ended > began else "–"
    return f"{held}, {count(evidence.sampled(card, n))} candidate {release.target.counted}s"


def _small_print(card: Card, n: int) -> list[str]:
    look = evidence.latest(card, n)
    window = f" · window {clock(look.reading.since)} to {clock(look.at)}" if look else " · no look yet"
    seen = "" if card.release.only_asks(n) else window
    return [f"`{escape(card.release.id)}`{seen} · {requested_by(card.release)}", links(card)]


def _question_or_decision(card: Card, n: int, command: str) -> list[Block | None]:
    release = card.release
    if _is_over(release, n):
        return [section(_decision(release, n))]
    asked = [override_hint(release, command), question(release), _waiting_for(card)]
    if any(asked):
        return asked
    sign, words = _outcome(release, n)
    return [section(f"{sign} {words.capitalize()}")]


def _waiting_for(card: Card) -> Block | None:
    release = card.release
    gate = release.current.approval if release.current else None
    if release.phase is not Phase.AWAITING_APPROVAL or gate is None:
        return None
    given = [a for a in release.approvals if a.stage == release.stage and a.revision == release.revision]
    names = "".join(f" @{fit(a.actor.name, 60)} ✔" for a in given[:10])
    parts = [f"Approvals {len(given)}/{gate.quorum}:{names}" if names else f"Approvals 0/{gate.quorum}"]
    if card.mention_approvers:
        parts.append("asked: " + " ".join(mention(id) for id in card.mention_approvers[:20]))
    if release.asked_at:
        then = "hold" if release.rules.no_answer_then is NoAnswer.HOLD else "roll back"
        parts.append(f"no answer by {clock(release.asked_at + release.rules.no_answer_after)} → {then}")
    return context([" · ".join(parts)])


def _decision(release: Release, n: int) -> str:
    sign, words = _outcome(release, n)
    given = [a for a in release.approvals if a.stage == n]
    # Only the yes to the last question of this stage moved it on; earlier questions were asked anew.
    carried = [a for a in given if a.revision == max(b.revision for b in given)]
    if not carried or n >= release.stage:
        return f"{sign} {words[0].upper()}{words[1:]}"
    people = "; ".join(_approval(a) for a in carried[:5])
    if _is_applied(release, n):
        return f"✅ {people}"
    return f"⏳ {people} · applying {_share(release, n + 1)}"


def _approval(approval: Approval) -> str:
    verb = "Overridden" if approval.overrides else "Approved"
    note = f" · {fit(approval.note, 400)}" if approval.note else ""
    return f"{verb} by @{fit(approval.actor.name, 60)} {clock(approval.at)}{note}"


def _outcome(release: Release, n: int) -> tuple[str, str]:
    """How a stage that nobody is asked about ended, as a sign and words."""
    if n < release.stage:
        to = _share(release, n + 1)
        return ("✅", f"went on to {to}") if _is_applied(release, n) else ("⏳", f"applying {to}")
    if release.phase is Phase.ROLLING_BACK:
        return "🔴", f"rolling back to {release.target.baseline}, applying"
    if release.phase is Phase.ROLLED_BACK:
        if release.gone:
            return "🔴", "rolled back, its VirtualService was deleted by somebody"
        return "⏪", f"rolled back to {release.target.baseline}"
    if release.is_leaving:
        return (
            "✅",
            f"complete, {release.target.candidate} gets nothing any more, {release.target.baseline} serves 100 %",
        )
    return "✅", f"complete, {release.target.candidate} serves 100 %"


def _is_over(release: Release, n: int) -> bool:
    going_back = release.phase in {Phase.ROLLING_BACK, Phase.ROLLED_BACK}
    return n < release.stage or going_back or release.phase is Phase.COMPLETED


def _is_applied(release: Release, n: int) -> bool:
    """The next split was read back, now or on the way to where the release is."""
    if release.is_going_back or release.stage > n + 1:
        return True
    return release.written > n or release.is_confirmed


def _share(release: Release, n: int) -> str:
    return fit_amount(amounts(release)[n])
