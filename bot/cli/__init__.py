"""The command line: each command parses its words, calls the bot and prints an answer.

Here: typer commands, tables, exit codes. Not here: decisions, adapters. Nobody imports it but the entry point; what a
command needs is imported when it runs, so that `sluice --help` answers at once.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from bot.cli.adopt import adopt
from bot.cli.audit import audit
from bot.cli.evidence import evidence
from bot.cli.plan import plan
from bot.cli.preflight import preflight
from bot.cli.replay import replay
from bot.cli.run import run
from bot.cli.sandbox import sandbox
from bot.cli.schema import schema
from bot.cli.settings import settings

app = typer.Typer(
    name="sluice",
    help="A release bot that lives in Slack and moves Istio traffic from one version to the next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sluice {version('sluice')}")
        raise typer.Exit


@app.callback()
def _main(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del shown


app.command()(run)
app.command()(sandbox)
app.command()(settings)
app.command()(schema)
app.command()(audit)
app.command()(evidence)
app.command()(plan)
app.command()(preflight)
app.command()(adopt)
app.command()(replay)
