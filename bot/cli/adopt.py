"""`sluice adopt`: pins a service to its present version, so that a release of it can be shared out."""

import getpass
import logging
import os
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.cluster import connected
from bot.cli.output import Exit, Format, FormatOption, print_json, refuse, stop
from strategies.reasons import Refused

if TYPE_CHECKING:
    from bot.ports import Adoption, Mesh
    from bot.settings import Settings
    from bot.surveys import SurveyRequest


def adopt(
    service: Annotated[str, typer.Argument(help="The service: reviews, or its full host.")],
    version: Annotated[str, typer.Argument(help="The version that serves; left out: the only one there is.")] = "",
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Take exactly what was made away again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it the changes are only shown.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show, and with --yes make, the DestinationRule subset and the VirtualService that pin a service to its version.

    Reads the cluster that `sluice run` reads, by the same settings and with your own rights; where SLUICE_DATABASE is
    set, what is done stands in the journal.
    """
    from bot.errors import Fault, Transient  # noqa: PLC0415 - heavy imports wait until they are wanted

    settings, request = _asked(service, version)
    logging.getLogger("bot").addHandler(logging.NullHandler())
    with connected(settings) as mesh:
        found = mesh.adoption(request, is_undo=undo)
        if isinstance(found, Refused):
            refuse(found, format)
        try:
            done = _journalled(mesh, request, found) if yes else ""
        except Transient as error:
            stop(Exit.UNREACHABLE, str(error))
        except Fault as error:
            stop(Exit.OUR_FAULT, str(error))
    if isinstance(done, Refused):
        refuse(done, format)
    _print(found, done, format)


def _journalled(mesh: "Mesh", request: "SurveyRequest", found: "Adoption") -> "str | Refused":
    """Make the changes that were shown; written down before and after, where there is a database."""
    url = os.environ.get("SLUICE_DATABASE")
    if not url:
        typer.echo("SLUICE_DATABASE is not set: this is not journalled.", err=True)
        return mesh.adopt(request, found.fingerprint, is_undo=found.is_undo)
    from bot.adoptions import Journal  # noqa: PLC0415
    from bot.clock import SystemClock  # noqa: PLC0415
    from storage.database import Database  # noqa: PLC0415
    from storage.errors import BadDatabase, StorageError  # noqa: PLC0415

    try:
        with Database(url) as database:
            journal = Journal(database, SystemClock())
            return journal.kept(mesh, request, found, f"{getpass.getuser()} (sluice adopt)")
    except BadDatabase as error:
        stop(Exit.USAGE, f"SLUICE_DATABASE: {error}")
    except StorageError as error:
        stop(Exit.UNREACHABLE, f"The database does not answer, so nothing could be journalled: {error}")


def _asked(service: str, version: str) -> "tuple[Settings, SurveyRequest]":
    from bot.profiles import Profiles, WrongProfile  # noqa: PLC0415
    from bot.settings import WrongSettings, load  # noqa: PLC0415
    from bot.surveys import SurveyRequest  # noqa: PLC0415

    try:
        settings = load(os.environ, needs_slack=False)
        profile = Profiles(settings.profiles).find(service)
    except WrongSettings as error:
        stop(Exit.USAGE, *error.lines)
    except WrongProfile as error:
        stop(Exit.USAGE, f"SLUICE_PROFILES: {error}")
    if profile is None:
        return settings, SurveyRequest(service, "", version)
    label = profile.version_label
    return settings, SurveyRequest(profile.service, profile.namespace, version, version_label=label)


def _print(found: "Adoption", done: str, format: Format) -> None:
    if format is Format.JSON:
        print_json({"objects": found.objects, "version": found.version, "diff": found.diff, "done": done})
        return
    typer.echo(found.diff, nl=False)
    typer.echo(done or "Nothing was changed; --yes does it.", err=not done)
