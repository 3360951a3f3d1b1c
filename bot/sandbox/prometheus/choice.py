"""Which Prometheus the sandbox runs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Literal, Protocol

from bot.sandbox.prometheus.builtin import BuiltinPrometheus
from bot.sandbox.prometheus.real import RealPrometheus

if TYPE_CHECKING:
    from bot.sandbox.prometheus.targets import Targets

Mode = Literal["auto", "real", "builtin"]


class PrometheusMissingError(RuntimeError):
    """The real Prometheus was asked for and is not installed."""


class RunningPrometheus(Protocol):
    """What both kinds offer; `stand_in` names the part that is not the real one."""

    stand_in: str | None

    @property
    def url(self) -> str:
        """Where it listens; only once started."""
        ...

    async def start(self) -> None:
        """Serve and scrape."""
        ...

    async def stop(self) -> None:
        """Leave nothing behind."""
        ...


def choose(mode: Mode, targets: Targets = (), *, port: int = 0) -> RunningPrometheus:
    """The Prometheus of a mode, not yet started; `auto` takes the real one when it is on PATH."""
    binary = shutil.which("prometheus")
    if mode == "builtin" or (mode == "auto" and binary is None):
        return BuiltinPrometheus(targets, port=port)
    if binary is None:
        raise PrometheusMissingError(
            "no `prometheus` on PATH: install it, or use --prometheus auto or --prometheus builtin"
        )
    return RealPrometheus(targets, binary=binary, port=port)
