"""A plan over files for people: a table of the stages, the diff of each, the way back, one sentence of advice."""

from datetime import datetime
from typing import assert_never

from rich.console import Console
from rich.table import Table

from bot import durations
from bot.offline.answers import ends
from bot.offline.planning import FilePlan, StageEdit, diff
from strategies.plan import ApprovalGate, Gate, MetricGate, SmokeGate
from strategies.routing import HUNDRED, percent


def show(plan: FilePlan, start: datetime, advice: str) -> None:
    """Print the plan."""
    console = Console(highlight=False)
    target = plan.target
    where = ", ".join(
        f'{route.namespace}/{route.virtual_service} {route.protocol} route "{route.name}"' for route in target.routes
    )
    parts = " -> ".join(plan.plan.parts)
    console.print(f"{parts} of {target.host}, {target.baseline} -> {target.candidate}, on {where}", markup=False)
    console.print()
    console.print(_table(plan, start))
    texts = plan.before
    for n, stage in enumerate(plan.stages, 1):
        now = {**plan.before, **stage.texts}
        changed = "".join(diff(name, texts[name], text) for name, text in now.items() if text != texts[name])
        console.print(f"\nStage {n} {_against(n, changed)}", markup=False)
        # A diff is copied and applied: no wrapping, no markup.
        console.print(changed, markup=False, soft_wrap=True, end="")
        texts = now
    console.print("\nRolling back at any stage puts the objects back as they stand in the file.", markup=False)
    console.print(advice, markup=False)


def _table(plan: FilePlan, start: datetime) -> Table:
    target = plan.target
    beside = [_beside(stage) for stage in plan.stages]
    table = Table("Stage", box=None, header_style="bold", pad_edge=False)
    is_pipeline = any(stage.stage.part for stage in plan.stages)
    if is_pipeline:
        table.add_column("Part")
    for version in (target.baseline, target.candidate):
        table.add_column(version, justify="right")
    for name in (*(("Beside",) if any(beside) else ()), "Hold", "Ends (UTC)", "Asked at its end"):
        table.add_column(name)
    for n, (stage, end) in enumerate(zip(plan.stages, ends(plan.plan.stages, start), strict=True), 1):
        shares = [percent(stage.split.share(version)) for version in (target.baseline, target.candidate)]
        extra = [beside[n - 1]] if any(beside) else []
        hold = durations.written(stage.stage.hold)
        asked = ", ".join(_gate(each) for each in stage.stage.gates) or "nothing"
        part = [str(stage.stage.part or plan.plan.strategy)] if is_pipeline else []
        table.add_row(str(n), *part, *shares, *extra, hold, end.strftime("%Y-%m-%d %H:%M"), asked)
    return table


def _beside(stage: StageEdit) -> str:
    told = []
    for match in stage.split.matches:
        share = f"{percent(match.share)} of " if match.share != HUNDRED else ""
        told.append(f"{share}{match} to {match.to}")
    if stage.split.mirror is not None:
        told.append(f"copies of {percent(stage.split.mirror.percent)} to {stage.split.mirror.to}")
    if stage.split.sticky is not None:
        told.append("each person kept at their version")
    return ", ".join(told)


def _gate(gate: Gate) -> str:
    match gate:
        case MetricGate():
            return gate.metric
        case SmokeGate():
            return "smoke test"
        case ApprovalGate():
            return "approval" if gate.quorum == 1 else f"{gate.quorum} approvals"
        case _:  # pragma: no cover
            assert_never(gate)


def _against(n: int, changed: str) -> str:
    before = "the file" if n == 1 else f"stage {n - 1}"
    return f"against {before}:" if changed else f"is the same as {before}."
