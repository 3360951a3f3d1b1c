"""Private answers: results, refusals and help, each with the nearest useful next command."""

from typing import assert_never

from bot.requests import (
    Adoptable,
    Answer,
    ConfirmNeeded,
    Listed,
    Planned,
    Preflighted,
    Request,
    Said,
    Shown,
    StartRequest,
)
from bot.slack import cards, preflights
from bot.slack.blocks import Block, Confirm, Message, actions, button, context, header, section
from bot.slack.buttons import ADOPT, adoption_value
from bot.slack.guide import EXAMPLE, TOPICS
from bot.slack.headlines import standing
from bot.slack.questions import confirm_missing
from bot.slack.text import code, code_block, escape, fit, moment, named, plain_moment, shorten, span
from strategies.amount import amount
from strategies.guards import State
from strategies.plan import Plan, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.release import Release, Target

MOST_LISTED = 20
MOST_STAGES = 20


def render(answer: Answer | Refused, command: str, request: Request | None = None) -> Message:
    """What the person who asked sees, and nobody else."""
    match answer:
        case Refused():
            return refusal(answer, command, request)
        case Said():
            return _said(answer, command)
        case Shown():
            return cards.root(answer.card, command)
        case Planned():
            return _planned(answer, command, request)
        case Adoptable():
            return _adoptable(answer)
        case Preflighted():
            return preflights.message(answer, command)
        case Listed():
            return _listed(answer, command)
        case ConfirmNeeded():
            return _confirm(answer)
        case _:
            assert_never(answer)


def refusal(refused: Refused, command: str, request: Request | None = None) -> Message:
    """One sentence, and in small print its code, an example that can be copied, and what to do next."""
    sentence, example = _with_example(refused.text)
    text = f"⚠️ {named(fit(sentence, 2_600))}"
    hint = f"help {example.partition(' ')[0]}" if example else _next(refused.reason_code, request)
    small = [code(refused.reason_code.value)]
    if example:
        small.append(f"for example: {code(f'{command} {example}')}")
    if hint:
        small.append(f"next: {code(f'{command} {hint}')}")
    return Message(shorten(text, 3_900), (section(text), context([" · ".join(small)])))


def trouble(text: str, command: str) -> Message:
    """Something failed on our side; the person learns what is known and how to see more."""
    line = f"🔴 {fit(text, 2_800)}"
    return Message(line, (section(line), context([f"see where things stand: {code(f'{command} list')}"])))


def failed_inside(command: str) -> Message:
    """What nobody foresaw; how far it came, nobody knows either."""
    return trouble(
        "Sluice failed inside while doing that, and logged it. Look where things stand before you repeat it.", command
    )


def guide(topic: str, command: str) -> Message:
    """All subcommands in one screen, or one of them in full."""
    found = TOPICS.get(topic)
    if found is None:
        lines = [f"{code(f'{command} {each.usage}')}\n{each.does}" for each in TOPICS.values()]
        half = len(lines) // 2
        tail = context([f"more on one: {code(f'{command} help schedule')} · slash commands do not work inside threads"])
        return Message(
            f"How to use {command}",
            (header(f"How to use {command}"), section("\n".join(lines[:half])), section("\n".join(lines[half:])), tail),
        )
    usage, example = code(f"{command} {found.usage}"), code(f"{command} {found.example}")
    more = "\n".join(f"• {line}" for line in found.more)
    blocks = [section(f"{usage}\n{found.does}\n*Example:* {example}")]
    return Message(f"{command} {topic}: {found.does}", (*blocks, *([section(more)] if more else [])))


def _said(said: Said, command: str) -> Message:
    text = fit(said.text, 2_900) or "Done."
    small = [context([f"{code(f'{command} status {said.release}')}"])] if said.release else []
    return Message(shorten(text, 3_900), (section(text), *small))


def _confirm(needed: ConfirmNeeded) -> Message:
    target = needed.release.target
    text = (
        f"🟡 {escape(target.service)} {escape(target.candidate)}: not enough evidence yet. {fit(needed.missing, 2_500)}"
    )
    return Message(
        shorten(text, 3_900),
        (section(text), confirm_missing(needed.release, needed.missing), context([code(needed.release.id)])),
    )


def _adoptable(answer: Adoptable) -> Message:
    found, service = answer.adoption, answer.request.service
    title = f"Take the adoption of {service} back" if found.is_undo else f"Adopt {service} at {found.version}"
    effect = (
        "Take away what was made, and nothing else."
        if found.is_undo
        else (f"All requests of {service} go to {found.version} from then on, whatever other versions are deployed.")
    )
    confirm = Confirm(f"{title}?", f"{effect} {', '.join(found.objects)}.", "Do it", is_danger=found.is_undo)
    value = adoption_value(answer.request, found.fingerprint)
    blocks = (
        header(title),
        section(code_block(found.diff, 2_800)),
        actions(f"adopt:{found.fingerprint}", [button(title, ADOPT, value, confirm, style="primary")]),
        context(["nothing was changed yet; takes the releaser role"]),
    )
    return Message(f"{title}, nothing was changed yet", blocks)


def _planned(planned: Planned, command: str, request: Request | None) -> Message:
    target = planned.target
    title = f"Plan: {target.service} {target.baseline} → {target.candidate} · {' → '.join(planned.plan.parts)}"
    blocks: list[Block] = [header(title), section(_stage_table(planned))]
    if planned.diff:
        blocks.append(section(f"*First change*\n{code_block(planned.diff, 2_800)}"))
    if planned.checks:
        blocks.append(section(_guards(planned)))
    if planned.preflight:
        lines = "\n".join(f"• {fit(line, 500)}" for line in planned.preflight[:5])
        blocks.append(section(f"*Preflight*\n{lines}"))
    if planned.remarks:
        blocks.append(section("\n".join(f"• {fit(remark, 400)}" for remark in planned.remarks[:6])))
    if planned.advice:
        blocks.append(section(f"*Advice* {fit(planned.advice, 1_000)}"))
    ends = f" · done by {moment(planned.ends[-1])} if nobody is waited for" if planned.ends else ""
    start = f"nothing was started{ends}"
    if isinstance(request, StartRequest):
        words = request.words or f"{request.service} {request.version}"
        start += f" · to start: {code(f'{command} start {words}', 600)}"
    return Message(f"{title}, nothing was started", (*blocks, context([start])))


_SIGNS = {State.HOLDS: "✓", State.BROKEN: "✗", State.OPEN: "·"}


def _guards(planned: Planned) -> str:
    lines = ["*Before the first change*"]
    for check in planned.checks:
        small = f" {code(check.rule.value)}" if check.state is not State.HOLDS else ""
        lines.append(f"{_SIGNS[check.state]} {fit(check.text, 300)}{small}")
    return "\n".join(lines)


def _stage_table(planned: Planned) -> str:
    target = planned.target
    shares = [_share(planned.plan, n, target) for n in range(min(len(planned.plan.stages), MOST_STAGES))]
    width = max(8, *map(len, shares))
    rows = [f"stage  {'share':<{width}}  hold        asks"]
    for n, stage in enumerate(planned.plan.stages[:MOST_STAGES]):
        end = f"  ends {plain_moment(planned.ends[n], planned.ends[0])}" if n < len(planned.ends) else ""
        rows.append(f"{n + 1:<5}  {shares[n]:<{width}}  {span(stage.hold):<10}  {_asks(stage):<22}{end}")
    left = len(planned.plan.stages) - MOST_STAGES
    return code_block("\n".join([*rows, *([f"+{left} more"] if left > 0 else [])]), 2_900)


def _share(plan: Plan, n: int, target: Target) -> str:
    stage = plan.stages[n]
    split = stage.splits[target.service]
    is_end = n == len(plan.stages) - 1 and not split.reaches(target.candidate)
    share = "end" if is_end else shorten(amount(split, target.candidate), 40)
    return f"{stage.part} {share}" if stage.part else share


def _asks(stage: Stage) -> str:
    metrics, approval = len(stage.metric_gates), stage.approval
    parts = [f"{metrics} metric{'s' if metrics > 1 else ''}"] if metrics else []
    if approval:
        parts.append(f"{approval.quorum} approval{'s' if approval.quorum > 1 else ''}")
    return ", ".join(parts) or "nothing"


def _listed(listed: Listed, command: str) -> Message:
    title = f"{listed.title} ({len(listed.releases)})"
    blocks: list[Block] = [header(title)]
    lines = [_line(release, listed) for release in listed.releases[:MOST_LISTED]]
    blocks.extend(section("\n".join(lines[first : first + 5])) for first in range(0, len(lines), 5))
    if not lines:
        blocks.append(section(f"None. Start one: {code(f'{command} start <service> <version>')}"))
    if len(listed.releases) > MOST_LISTED:
        blocks.append(context([f"+{len(listed.releases) - MOST_LISTED} more"]))
    if listed.troubles:
        blocks.append(context([f"⚠️ {fit(trouble, 400)}" for trouble in listed.troubles[:5]]))
    return Message(title, tuple(blocks))


def _line(release: Release, listed: Listed) -> str:
    now = listed.now or release.entered_at
    found = standing(release, now)
    target = release.target
    return (
        f"{found.sign} {code(release.id)} *{escape(target.service)}* {escape(target.baseline)} → "
        f"{escape(target.candidate)} · {escape(found.words)}"
    )


def _with_example(text: str) -> tuple[str, str]:
    """The sentence, and the example of a subcommand at its end; a person's own words are none."""
    sentence, _, example = text.rpartition(f" {EXAMPLE}")
    return (sentence, example) if any(example == topic.example for topic in TOPICS.values()) else (text, "")


def _next(reason: ReasonCode, request: Request | None) -> str:
    subject = getattr(request, "subject", "") or ""
    match reason:
        case ReasonCode.STALE_REVISION | ReasonCode.ALREADY_DECIDED | ReasonCode.WRONG_PHASE | ReasonCode.EXPIRED if (
            subject
        ):
            return f"status {subject}"
        case ReasonCode.GATE_FAILING if subject:
            return f"rollback {subject}"
        case ReasonCode.DRIFT if subject:
            return f"drift {subject} adopt|restore|stop"
        case ReasonCode.BAD_STEPS:
            return "help start"
        case ReasonCode.BAD_INPUT:
            return "help"
        case ReasonCode.ALREADY_RELEASING if isinstance(request, StartRequest):
            return f"status {request.service}"
        case ReasonCode.UNKNOWN_RELEASE | ReasonCode.STALE_REVISION:
            return "list all"
        case _:
            return ""
