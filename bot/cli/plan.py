"""`sluice plan`: what a release would do to the manifests in a file, without a cluster."""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.output import Exit, Format, FormatOption, print_json, refuse, stop
from strategies.plan import StrategyName
from strategies.reasons import Refused

if TYPE_CHECKING:
    from bot.offline.asked import Asked
    from bot.offline.by_profile import ByProfile
    from bot.offline.manifests import Source
    from bot.offline.planning import FilePlan

STDIN = "-"

FileOption = Annotated[str, typer.Option("--file", "-f", help="YAML with the VirtualService; - reads stdin.")]
RuleOption = Annotated[str | None, typer.Option(help="YAML with the DestinationRule, when it is in a file of its own.")]
MatchOption = Annotated[
    list[str] | None,
    typer.Option(help="Requests that get the candidate: header:x-beta=1, uri^=/beta, cookie:group=~b.* (repeatable)."),
]
RouteOption = Annotated[
    list[str] | None,
    typer.Option(help="A route that moves: main, #0, tcp:#0 or reviews-gateway/main (repeatable)."),
]
StepsOption = Annotated[str, typer.Option(help="5,25,50,100, or from 5 by 10 every 15m to 100, or 90:10,0:100.")]
PipelineOption = Annotated[str, typer.Option(help="Several as one release: shadow -> ab -> canary.")]
ProfileOption = Annotated[str | None, typer.Option(help="The service's profile, which says how and where.")]
HoldOption = Annotated[str, typer.Option(help="How long each stage is held: 10m, or one for each step: 10m,30m,1h.")]


def plan(  # noqa: PLR0913 - the words of the command
    *,
    file: FileOption,
    service: Annotated[str, typer.Option(help="The service that moves: reviews, or its full host.")],
    baseline: Annotated[str, typer.Option(help="The version that serves now.")],
    candidate: Annotated[str, typer.Option(help="The version to release.")],
    strategy: Annotated[StrategyName | None, typer.Option(help="How it is released; canary if nothing says.")] = None,
    pipeline: PipelineOption = "",
    profile: ProfileOption = None,
    destination_rule: RuleOption = None,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where objects live that do not say it.")] = "",
    route: RouteOption = None,
    steps: StepsOption = "",
    hold: HoldOption = "",
    match: MatchOption = None,
    mirror: Annotated[str, typer.Option(help="Percent of the requests that the candidate gets a copy of.")] = "",
    sticky: Annotated[bool, typer.Option("--sticky", help="A cookie keeps each person at one version.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Edit the file for one stage; other lines stay.")] = False,
    stage: Annotated[int, typer.Option(min=1, help="The stage that --write puts into the file.")] = 1,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show every stage of a release of the manifests in a file: split, hold, gates, end, and the diff of each."""
    from bot.advice import advice  # noqa: PLC0415
    from bot.offline import answers, asked, planning, target  # noqa: PLC0415 - YAML waits until it is wanted

    for option, word in (("--service", service), ("--baseline", baseline), ("--candidate", candidate)):
        if not word.strip():
            stop(Exit.USAGE, f"{option} is empty.")
    sources = _sources(file, destination_rule, is_written=write)
    if bool(strategy) + bool(pipeline) > 1 or (pipeline and profile):
        stop(Exit.USAGE, "--pipeline goes alone: without --strategy, and without --profile, which brings its own.")
    named = strategy or StrategyName.CANARY
    words = asked.Asked(named, service, baseline, candidate, steps, _holds(hold), match or (), mirror, sticky)
    by = _by_profile(profile, words, is_named=strategy is not None) if profile else None
    planner = by.planner() if by is not None else asked.planner(words, pipeline)
    if isinstance(planner, Refused):
        _refuse(planner, format)
    own = (by.profile.namespace, by.routes()) if by is not None else ("", ())
    wanted = target.Wanted(service, baseline, candidate, namespace or own[0], tuple(route or own[1]))
    found = planning.plan(sources, wanted, planner)
    if isinstance(found, Refused):
        _refuse(found, format)
    if not found.knows_subsets:
        subset = found.target.subsets[candidate]
        typer.echo(f"No DestinationRule of {found.target.host} was given: subset {subset} is taken to exist.", err=True)
    if write:
        _write(found, stage)
    now, told = datetime.now(UTC), advice(found.plan, found.target)
    if format is Format.JSON:
        print_json(answers.planned(found, now, told))
        return
    from bot.cli.plan_table import show  # noqa: PLC0415

    show(found, now, told)


def _sources(file: str, rule: str | None, *, is_written: bool) -> Sequence["Source"]:
    from bot.offline.manifests import Unreadable, read  # noqa: PLC0415

    if is_written and STDIN in {file, rule}:
        stop(Exit.USAGE, "--write needs a file; standard input cannot be edited.")
    if file == rule == STDIN:
        stop(Exit.USAGE, "Only one of --file and --destination-rule can be standard input.")
    names = [file]
    if rule is not None and not (file != STDIN != rule and os.path.realpath(rule) == os.path.realpath(file)):
        names.append(rule)
    found = []
    for name in names:
        try:
            content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
            found.append(read("stdin" if name == STDIN else name, content))
        except OSError as error:
            stop(Exit.USAGE, f"{name}: {error.strerror}")
        except Unreadable as error:
            stop(Exit.USAGE, str(error))
    return found


def _by_profile(path: str, words: "Asked", *, is_named: bool) -> "ByProfile":
    from bot.offline.by_profile import ByProfile  # noqa: PLC0415 - pydantic, for those who have a profile
    from bot.profiles import WrongProfile, read  # noqa: PLC0415

    try:
        profile = read(path, Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        stop(Exit.USAGE, f"{path}: {error.strerror}")
    except UnicodeDecodeError as error:
        stop(Exit.USAGE, f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.")
    except WrongProfile as error:
        stop(Exit.USAGE, *error.lines)
    if words.service.partition(".")[0] != profile.service.partition(".")[0]:
        stop(Exit.USAGE, f"--service {words.service}: {path} is the profile of {profile.service}.")
    return ByProfile(profile, words, is_named)


def _holds(text: str) -> tuple[timedelta, ...]:
    from bot import durations  # noqa: PLC0415

    try:
        return tuple(durations.parse(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        stop(Exit.USAGE, f"--hold: {error}.")


def _refuse(refused: Refused, format: Format) -> NoReturn:
    from bot.offline import answers  # noqa: PLC0415

    if format is Format.TABLE:
        refuse(refused, format)
    print_json(answers.refused(refused))
    raise typer.Exit(Exit.REFUSED)


def _write(found: "FilePlan", stage: int) -> None:
    """Put one stage into the files, the rule's first: a route must not lead to a subset that is not there yet."""
    if stage > len(found.stages):
        stop(Exit.USAGE, f"--stage {stage}: the plan has {len(found.stages)} stages.")
    for name, text in reversed(tuple(found.stages[stage - 1].texts.items())):
        try:
            _replace(Path(name).resolve(), text)
        except OSError as error:
            stop(Exit.USAGE, f"{name} cannot be written: {error.strerror}")
        typer.echo(f"{name} carries stage {stage} of {len(found.stages)} now.", err=True)


def _replace(path: Path, text: str) -> None:
    """The whole new text or the whole old one, whatever happens in between."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        shutil.copymode(path, fresh)
        Path(fresh).replace(path)
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise
