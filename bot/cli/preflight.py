"""`sluice preflight`: the gates of a service over the last days, and what each stage needs, before anything starts."""

import logging
import os
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.cluster import connected
from bot.cli.output import Exit, Format, FormatOption, print_json, refuse, stop
from strategies.reasons import Refused

if TYPE_CHECKING:
    from bot.preflight import Asked, Found
    from bot.profiles import Profiles
    from bot.settings import Settings

PATIENCE = 60.0  # seconds for Prometheus


def preflight(
    service: Annotated[str, typer.Argument(help="The service: reviews, or its full host.")],
    version: Annotated[str, typer.Argument(help="The version to release; left out: any.")] = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """Try a service's gates on the last two days, when nothing was released, and count what each stage needs.

    Reads the cluster and Prometheus that `sluice run` reads, by the same settings, and changes nothing.
    """
    from bot.profiles import Profiles, WrongProfile  # noqa: PLC0415 - heavy imports wait until they are wanted
    from bot.settings import WrongSettings, load  # noqa: PLC0415

    try:
        settings = load(os.environ, needs_slack=False)
        profiles = Profiles(settings.profiles)
    except WrongSettings as error:
        stop(Exit.USAGE, *error.lines)
    except WrongProfile as error:
        stop(Exit.USAGE, f"SLUICE_PROFILES: {error}")
    # What goes wrong on the way is told once, at the end; the log is the bot's.
    logging.getLogger("bot").addHandler(logging.NullHandler())
    asked = _asked(settings, profiles, service, version)
    if isinstance(asked, Refused):
        refuse(asked, format)
    _print(asked, _found(settings, asked), format)


def _asked(settings: "Settings", profiles: "Profiles", service: str, version: str) -> "Asked | Refused":
    from bot import preflight_order  # noqa: PLC0415

    with connected(settings) as mesh:
        return preflight_order.asked(service, version, profiles, mesh)


def _found(settings: "Settings", asked: "Asked") -> "Found":
    from bot.clock import SystemClock  # noqa: PLC0415
    from bot.metrics.prometheus import PrometheusMetrics  # noqa: PLC0415
    from bot.preflight import DAY, run  # noqa: PLC0415

    metrics = PrometheusMetrics(settings.prometheus_url, settings.reporter)
    try:
        found = run(metrics, asked, 2 * DAY, SystemClock().now(), PATIENCE)
    finally:
        metrics.close()
    if found.past.trouble:
        stop(Exit.UNREACHABLE, found.past.trouble)
    return found


def _print(asked: "Asked", found: "Found", format: Format) -> None:
    from bot.preflight_rows import document  # noqa: PLC0415

    if format is Format.JSON:
        print_json(document(asked, found))
        return
    from bot.cli.preflight_table import show  # noqa: PLC0415

    show(asked, found)
