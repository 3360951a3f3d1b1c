"""What a preflight found, as a private answer: a line per gate, a table of the stages, warnings and advice."""

from bot.preflight import NEXT
from bot.preflight_rows import gate_rows, stage_rows, traffic
from bot.requests import Preflighted
from bot.slack.blocks import Block, Message, context, header, section
from bot.slack.text import code, code_block, escape, fit

MOST_GATES, MOST_STAGES, MOST_WARNINGS = 12, 20, 8
NAMES = ("now", "bursts", "one pod against the rest", "today against yesterday")


def message(answer: Preflighted, command: str) -> Message:
    """The preflight of one service; what could not be read is said instead of shown."""
    target, found = answer.asked.target, answer.found
    versions = target.baseline if target.candidate == NEXT else f"{target.baseline} → {target.candidate}"
    title = f"Preflight: {target.service} {versions} · {answer.asked.plan.strategy}"
    small = context([f"nothing was started · {escape(traffic(found))} · {code(f'{command} plan {target.service} …')}"])
    if found.past.trouble:
        return Message(
            f"{title}: {fit(found.advice, 2_000)}", (header(title), section(f"⚠️ {fit(found.advice, 2_500)}"))
        )
    # Where nothing was read there are no figures: rows of nothing would look like a verdict.
    figures = [section(_gates(answer)), section(_stages(answer))] if found.past.minutes else []
    blocks: list[Block] = [header(title), *figures]
    if found.warnings:
        blocks.append(section("\n".join(f"⚠️ {fit(warning, 320)}" for warning in found.warnings[:MOST_WARNINGS])))
    blocks.append(section(f"*Advice* {fit(found.advice, 1_000)}"))
    return Message(f"{title}: {fit(found.advice, 2_000)}", (*blocks, small))


def _gates(answer: Preflighted) -> str:
    lines = []
    for name, *figures, standing in gate_rows(answer.found)[:MOST_GATES]:
        told = " · ".join(f"{what} {fit(figure, 60)}" for what, figure in zip(NAMES, figures, strict=True))
        lines.append(f"*{fit(name, 60)}*: {escape(standing)}\n{told}")
    return "\n".join(lines) or "No gate reads a metric."


def _stages(answer: Preflighted) -> str:
    rows = ["share         requests/h  needs                   takes    has"]
    for _, share, per_hour, needs, takes, has in stage_rows(answer.asked, answer.found)[:MOST_STAGES]:
        rows.append(f"{share:<12}  {per_hour:>10}  {needs:<22}  {takes:<7}  {has}")
    return code_block("\n".join(rows), 2_900)
