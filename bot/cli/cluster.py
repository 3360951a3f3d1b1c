"""The cluster for one command: connected by the bot's own settings, filled, and let go of again."""

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.cli.output import Exit, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.mesh.istio import IstioMesh
    from bot.settings import Settings

PATIENCE = 10.0


@contextmanager
def connected(settings: "Settings") -> "Iterator[IstioMesh]":
    """The mesh with its cache filled; exits with 5 when the cluster does not answer, and with 2 on a wrong setting."""
    from bot.clock import SystemClock  # noqa: PLC0415 - heavy imports wait until they are wanted
    from bot.errors import Fault  # noqa: PLC0415
    from bot.mesh.istio import IstioMesh  # noqa: PLC0415
    from bot.mesh.kube_api import connect  # noqa: PLC0415

    try:
        connection = connect(str(settings.kubeconfig) if settings.kubeconfig else None, settings.kube_context)
    except Fault as error:
        stop(Exit.USAGE, str(error))
    mesh = IstioMesh(connection, SystemClock(), namespaces=settings.namespaces, propagation=settings.propagation)
    mesh.start()
    try:
        _wait(mesh)
        yield mesh
    finally:
        mesh.stop()


def _wait(mesh: "IstioMesh") -> None:
    end = time.monotonic() + PATIENCE
    while troubles := mesh.troubles():
        if time.monotonic() > end:
            stop(Exit.UNREACHABLE, *troubles)
        time.sleep(0.1)
