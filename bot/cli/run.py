"""`sluice run`: the bot."""

import os
import signal
import threading

import typer

from bot.cli.output import Exit, stop


def run() -> None:
    """Run the bot until SIGINT or SIGTERM. `sluice settings` lists what it reads from the environment."""
    from bot import settings  # noqa: PLC0415 - heavy imports wait until the bot is really wanted

    try:
        loaded = settings.load(os.environ)
    except settings.WrongSettings as error:
        stop(Exit.USAGE, *error.lines)
    _serve(loaded)


def _serve(loaded: object) -> None:
    from bot import app, logs, settings  # noqa: PLC0415

    if not isinstance(loaded, settings.Settings):
        raise TypeError("settings.load gives Settings")
    logs.configure(loaded.log)
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    try:
        bot = app.build(loaded)
    except app.CannotStart as error:
        stop(Exit.USAGE if error.is_input else Exit.UNREACHABLE, *error.lines)
    bot.start()
    try:
        stopping.wait()
    finally:
        bot.stop()
    raise typer.Exit(Exit.DONE)
