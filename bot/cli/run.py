"""`sluice run`: the bot."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import typer

from bot.cli.output import Exit, Format, FormatOption, print_json, stop

if TYPE_CHECKING:
    from bot.settings import Settings

# A click goes through some thirty waits for a socket or a disk. After each it asks for the interpreter again, which
# a tick of looks gives up no sooner than this; Python's own 5 ms would add up to what a rollback may take in all.
SWITCH_SECONDS = 0.0005
# A tick of looks makes a hundred thousand short-lived objects and no cycles: searching for some after every 700 of
# them, through all that was imported besides, is half of what judging costs.
COLLECT_AFTER = 10_000


def run(format: FormatOption = Format.TABLE) -> None:
    """Run the bot until SIGINT or SIGTERM. `sluice settings` lists what it reads from the environment.

    Its log goes to stderr, as SLUICE_LOG says; with json, what keeps it from starting stands on stdout.
    """
    from bot.settings import WrongSettings, load  # noqa: PLC0415 - heavy imports wait until the bot is wanted

    try:
        settings = load(os.environ)
    except WrongSettings as error:
        _refuse(Exit.USAGE, error.lines, format)
    _serve(settings, format)


def _refuse(code: Exit, lines: Sequence[str], format: Format) -> NoReturn:
    if format is Format.TABLE:
        stop(code, *lines)
    print_json({"started": False, "reasons": list(lines)})
    raise typer.Exit(code)


def _serve(settings: "Settings", format: Format) -> None:
    # Before the imports, which make nothing but what stays.
    gc.set_threshold(COLLECT_AFTER)
    from bot.app import CannotStart, build  # noqa: PLC0415
    from bot.logs import configure  # noqa: PLC0415

    configure(settings.log)
    sys.setswitchinterval(SWITCH_SECONDS)
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    try:
        bot = build(settings)
    except CannotStart as error:
        _refuse(Exit.USAGE if error.is_input else Exit.UNREACHABLE, error.lines, format)
    bot.start()
    gc.freeze()
    try:
        stopping.wait()
    finally:
        bot.stop()
    raise typer.Exit(Exit.DONE)
