"""What the mesh notes between two tries of a tidying does not outlive it."""

from datetime import timedelta
from typing import Any

from bot.mesh.istio import FORGOTTEN_AFTER, IstioMesh
from tests.builders import NOW
from tests.fakes import FakeClock


def test_what_another_replica_tidied_is_forgotten_after_an_hour() -> None:
    nowhere: Any = None
    mesh = IstioMesh(nowhere, FakeClock())
    mesh._tidying = {"long-ago": NOW - FORGOTTEN_AFTER - timedelta.resolution, "just-now": NOW - FORGOTTEN_AFTER}
    mesh._forget_tidied(NOW)
    assert list(mesh._tidying) == ["just-now"]
