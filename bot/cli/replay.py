"""`sluice replay`: the judge over recorded looks, one answer per line as soon as the line is there."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from bot.cli.output import Exit, Format, FormatOption, stop

if TYPE_CHECKING:
    from bot.replay.session import Session

CHUNK = 1 << 20


def replay(
    file: Annotated[str, typer.Argument(help="JSON Lines of configs and looks; - reads stdin.")],
    state: Annotated[Path | None, typer.Option(help="Load the evidence from this file, and save it there.")] = None,
    format: FormatOption = Format.JSON,
) -> None:
    """Judge recorded looks: a verdict per look, one decision per release."""
    from bot.replay.values import BadLine  # noqa: PLC0415

    try:
        session = _session(state)
    except (OSError, BadLine) as error:
        stop(Exit.USAGE, f"--state {state}: {error}")
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            trouble = _run(session, source, format, state)
    except OSError as error:
        stop(Exit.USAGE, f"{file}: {error.strerror}")
    if trouble:
        stop(Exit.USAGE, f"{file}: {trouble}")


def _session(state: Path | None) -> "Session":
    from bot.replay.session import Session  # noqa: PLC0415
    from bot.replay.stored import loaded  # noqa: PLC0415

    if state is None or not state.exists():
        return Session()
    return loaded(state.read_text(encoding="utf-8"))


def _run(session: "Session", source: BinaryIO, format: Format, state: Path | None) -> str:
    """Answer everything; the trouble that ended it, empty at the end of the input."""
    try:
        for lines in _batches(source):
            answers, trouble = session.feed(lines)
            _print(answers, format)
            if trouble:
                return trouble
        _print(session.finish(), format)
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
