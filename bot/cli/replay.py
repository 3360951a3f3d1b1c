"""`sluice replay`: the judge over recorded looks, one answer per line as soon as the line is there."""

import gc
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from bot.cli.output import Exit, Format, FormatOption, stop
from bot.metrics.queries import Reporter

if TYPE_CHECKING:
    from bot.replay.session import Session

CHUNK = 1 << 20


def replay(  # noqa: PLR0913 - one per option
    file: Annotated[str, typer.Argument(help="JSON Lines of configs and looks; - reads stdin.")] = "",
    *,
    state: Annotated[Path | None, typer.Option(help="Load the evidence from this file, and save it there.")] = None,
    prometheus: Annotated[str, typer.Option(help="Read the looks from this Prometheus instead of a file.")] = "",
    service: Annotated[str, typer.Option(help="With --prometheus: the Istio host.")] = "",
    namespace: Annotated[str, typer.Option(help="With --prometheus: its namespace.")] = "",
    baseline: Annotated[str, typer.Option(help="With --prometheus: the version that serves.")] = "",
    candidate: Annotated[str, typer.Option(help="With --prometheus: the version to judge.")] = "",
    start_at: Annotated[str, typer.Option("--start", help="With --prometheus: like 2026-11-21T10:00:00Z.")] = "",
    end: Annotated[str, typer.Option(help="With --prometheus: the last look.")] = "",
    look: Annotated[float, typer.Option(min=1, help="With --prometheus: seconds between looks.")] = 15,
    reporter: Annotated[
        Reporter, typer.Option(envvar="SLUICE_REPORTER", help="With --prometheus: whose account is read.")
    ] = Reporter.BOTH,
    picture: Annotated[Path | None, typer.Option(help="Draw the looks and what they prove into this PNG.")] = None,
    format: FormatOption = Format.JSON,
) -> None:
    """Judge recorded looks: a verdict per look, one decision per release."""
    # Looks leave no cycles behind: searching for some after every 700 of them is a tenth of the time.
    gc.set_threshold(100_000)
    if bool(file) == bool(prometheus):
        stop(Exit.USAGE, "Name a file of looks, - for stdin, or --prometheus URL.")
    session = _session(state)
    session.is_pictured = picture is not None
    kept: list[dict[str, object]] = []
    start = None
    if prometheus:
        given = {"service": service, "namespace": namespace, "baseline": baseline, "candidate": candidate}
        _needed({**given, "start": start_at, "end": end})
        from bot.cli.replay_prometheus import recording  # noqa: PLC0415 - brings the client

        recorded = recording(prometheus, (service, namespace, baseline, candidate), (start_at, end), look, reporter)
        start = recorded.start
        trouble = _run(session, recorded.batches(), format, state, kept if picture else None)
    else:
        trouble = _read(session, file, format, state, kept if picture else None)
    if picture:
        from bot.cli.replay_picture import save_pictures  # noqa: PLC0415 - brings matplotlib

        save_pictures(picture, session.releases, kept, start)
    if trouble:
        stop(Exit.USAGE, f"{file or prometheus}: {trouble}")


def _needed(options: dict[str, str]) -> None:
    missing = [f"--{name}" for name, value in options.items() if not value]
    if missing:
        stop(Exit.USAGE, f"--prometheus needs {', '.join(missing)} besides.")


def _read(
    session: "Session", file: str, format: Format, state: Path | None, kept: list[dict[str, object]] | None
) -> str:
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            return _run(session, _batches(source), format, state, kept)
    except OSError as error:
        stop(Exit.USAGE, f"{file}: {error.strerror}")


def _session(state: Path | None) -> "Session":
    from bot.replay.session import Session  # noqa: PLC0415
    from bot.replay.stored import loaded  # noqa: PLC0415
    from bot.replay.values import BadLine  # noqa: PLC0415

    try:
        if state is None or not state.exists():
            return Session()
        return loaded(state.read_text(encoding="utf-8"))
    except OSError as error:
        stop(Exit.USAGE, f"--state {state}: {error.strerror}")
    except BadLine as error:
        stop(Exit.USAGE, f"--state {state}: {error}")


def _run(
    session: "Session",
    batches: Iterable[list[bytes]],
    format: Format,
    state: Path | None,
    kept: list[dict[str, object]] | None = None,
) -> str:
    """Answer everything; the trouble that ended it, empty at the end of the input. `kept` takes the decisions."""
    try:
        for lines in batches:
            answers, trouble = session.feed(lines)
            _print(answers, format)
            if kept is not None:
                kept.extend(answer for answer in answers if "decision" in answer)
            if trouble:
                return trouble
        endings = session.finish()
        _print(endings, format)
        if kept is not None:
            kept.extend(endings)
    except BrokenPipeError:
        # Whoever read the answers has enough; Python must not complain about them once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        if state is not None:
            _save(session, state)
    return ""


def _batches(source: BinaryIO) -> Iterator[list[bytes]]:
    """Whole lines as they become available: many at a time from a file, one from a slow pipe."""
    rest = b""
    # Both a file and stdin are buffered readers: read1 gives what is there instead of waiting for a full chunk.
    while chunk := source.read1(CHUNK):  # type: ignore[attr-defined]
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _print(answers: list[dict[str, object]], format: Format) -> None:
    from bot.replay.session import written  # noqa: PLC0415

    if answers:
        line = written if format is Format.JSON else _row
        # Escapes of half a character are legal JSON and no legal UTF-8: they go out as they came in.
        text = "".join(f"{line(answer)}\n" for answer in answers).encode("utf-8", "backslashreplace")
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()


def _row(answer: dict[str, object]) -> str:
    head = f"{answer['release']}  {answer['t']} s  "
    if "decision" in answer:
        return f"{head}{str(answer['decision']).upper()}  {answer['reason']}"
    return (
        f"{head}{answer['verdict']}  harm {answer['harm_odds']:.3g}  safe {answer['safe_odds']:.3g}  {answer['reason']}"
    )


def _save(session: "Session", state: Path) -> None:
    from bot.replay.stored import dumped  # noqa: PLC0415

    fresh = state.with_name(f".{state.name}.new")
    try:
        fresh.write_text(dumped(session), encoding="utf-8")
        fresh.replace(state)
    except OSError as error:
        stop(Exit.USAGE, f"--state {state}: {error.strerror}")
