"""`sluice sandbox`: the bot on this machine, with stand-ins for everything it talks to."""

import asyncio
import tempfile
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.output import Exit, Format, FormatOption, print_json, stop

if TYPE_CHECKING:
    import socket

    from bot.sandbox.serve import Interrupted
    from bot.sandbox.supervisor import Options, Supervisor
    from bot.sandbox.tour.report import TourReport

DEFAULT_PORT = 8300
INTERRUPTED = 130
INSTALL = "The sandbox needs its own dependency group: run `uv sync`, which installs it by default."
TOURS = "canary (if none is named), phased, blue-green, shadow, ab, pipeline, routes, life, adopt or all"
PARTS = ("aiohttp", "promql_parser", "re2")


class PrometheusChoice(StrEnum):
    """Which Prometheus runs."""

    AUTO = "auto"
    REAL = "real"
    BUILTIN = "builtin"


def sandbox(  # noqa: PLR0913 - one parameter per option of the contract
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"With --tour: {TOURS}.", show_default=False)] = "",
    *,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help=f"Port of the page; {DEFAULT_PORT}, or the next free one.")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in a browser.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the callers' and the shop's luck.")] = 0,
    ready_file: Annotated[
        Path | None, typer.Option(help="File that says, as JSON, where everything is once all is up.")
    ] = None,
    prometheus: Annotated[
        PrometheusChoice, typer.Option(help="auto: the real one when it is on PATH.")
    ] = PrometheusChoice.AUTO,
    tour: Annotated[bool, typer.Option("--tour", help="Tell a story without a browser, and exit.")] = False,
    out: Annotated[Path | None, typer.Option(help="With --tour: directory for the pictures.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Run the real bot on loopback beside stand-ins for its neighbours, with a page to watch both."""
    if not tour and (name or out):
        stop(Exit.USAGE, f"{f'{name!r} is' if name else '--out is'} for a tour; write --tour before it.")
    if ready_file is not None and not ready_file.absolute().parent.is_dir():
        stop(Exit.USAGE, f"--ready-file {ready_file}: there is no directory {ready_file.absolute().parent}.")
    if tour:
        name = _known_tour(name)
    options = _options(seed, prometheus)
    bound = _page_socket(port, is_quiet=format is Format.JSON)
    if tour:
        _tell(name, options, bound, ready_file, _Output(format, out))
    else:
        _serve(options, bound, ready_file, _Browser(format, is_wanted=not no_open))


def _known_tour(name: str) -> str:
    from bot.sandbox.tour.names import DEFAULT, NAMES  # noqa: PLC0415

    if name and name not in NAMES:
        stop(Exit.USAGE, f"there is no tour {name!r}; there is {', '.join(NAMES)}")
    return name or DEFAULT


def _options(seed: int, prometheus: PrometheusChoice) -> "Options":
    try:
        from bot.sandbox.prometheus import PrometheusMissingError, choose  # noqa: PLC0415 - the sandbox loads when used
        from bot.sandbox.supervisor import Options  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in PARTS:
            raise
        stop(Exit.UNREACHABLE, f"{error.name} is not installed. {INSTALL}")
    try:
        choose(prometheus.value)
    except PrometheusMissingError as error:
        stop(Exit.UNREACHABLE, str(error))
    return Options(seed=seed, prometheus=prometheus.value)


def _page_socket(port: int | None, *, is_quiet: bool) -> "socket.socket":
    from bot.sandbox.ports import PortTakenError, page_socket  # noqa: PLC0415

    try:
        bound = page_socket(port or DEFAULT_PORT, is_default=port is None)
    except PortTakenError as error:
        stop(Exit.USAGE, str(error))
    taken = int(bound.getsockname()[1])
    if port is None and taken != DEFAULT_PORT:
        typer.echo(f"Port {DEFAULT_PORT} is taken; the page is on {taken} instead.", err=is_quiet)
    return bound


class _Browser:
    """What happens once all is up: the banner, and the page in a browser."""

    def __init__(self, format: Format, *, is_wanted: bool) -> None:
        self._format = format
        self._is_wanted = is_wanted

    async def __call__(self, supervisor: "Supervisor") -> None:
        from bot.cli.sandbox_banner import banner  # noqa: PLC0415

        if self._format is Format.JSON:
            print_json(supervisor.addresses())
        else:
            banner(supervisor)
        if self._is_wanted:
            opened = await asyncio.to_thread(webbrowser.open, supervisor.page_url)
            if not opened:
                typer.echo(f"No browser could be opened here; the page is at {supervisor.page_url}", err=True)
        await asyncio.Event().wait()


def _serve(options: "Options", bound: "socket.socket", ready_file: Path | None, browser: _Browser) -> None:
    from bot.sandbox import serve  # noqa: PLC0415

    typer.echo("Starting the sandbox …", err=True)
    try:
        ended = asyncio.run(serve.run(options, bound, ready_file, browser))
    except serve.StartError as error:
        stop(Exit.OUR_FAULT, str(error))
    if isinstance(ended, serve.Interrupted):
        _interrupted(ended)


def _interrupted(ended: "Interrupted") -> NoReturn:
    import signal  # noqa: PLC0415

    typer.echo("Everything has ended.", err=True)
    raise typer.Exit(INTERRUPTED if ended.signal is signal.SIGINT else Exit.DONE)


class _Output:
    """Where a tour's pictures and report go."""

    def __init__(self, format: Format, out: Path | None) -> None:
        self.format = format
        try:
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            stop(Exit.USAGE, f"--out {out}: cannot be made ({error.strerror or error})")
        self.folder = (out or Path(tempfile.mkdtemp(prefix="sluice-tour-"))).absolute()


def _tell(name: str, options: "Options", bound: "socket.socket", ready_file: Path | None, output: _Output) -> None:
    from bot.cli.tour_progress import Progress, print_report  # noqa: PLC0415
    from bot.sandbox import serve  # noqa: PLC0415
    from bot.sandbox.tour.play import play  # noqa: PLC0415

    progress = Progress()

    async def played(supervisor: "Supervisor") -> "tuple[TourReport, str]":
        progress.ready(supervisor)
        report = await play(name, supervisor, progress.tell, output.folder)
        return report, supervisor.bot.tail() if not report.ok else ""

    progress.starting()
    try:
        result = asyncio.run(serve.run(options, bound, ready_file, played))
    except serve.StartError as error:
        stop(Exit.OUR_FAULT, str(error))
    finally:
        progress.close()
    if isinstance(result, serve.Interrupted):
        _interrupted(result)
    report, tail = result
    if output.format is Format.JSON:
        print_json(report.document())
    print_report(report, output.folder, tail)
    raise typer.Exit(Exit.DONE if report.ok else Exit.OUR_FAULT)
