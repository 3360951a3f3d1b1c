"""Looks at the metrics besides errors and latency, each kind read once for all releases."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.metrics.callers import OUTGOING, Callers
from bot.metrics.connection import Connection
from bot.metrics.gathered import Gathered
from bot.metrics.growth import Starts
from bot.metrics.own import Own
from bot.metrics.resources import LEVELS, Resources
from bot.ports import Subject
from strategies.verdicts import Reading


class Measures:
    """One query for calls, one for resources, and at least one for the owners' own; none that nobody asks for."""

    def __init__(self, connection: Connection) -> None:
        self._starts = Starts()
        self._callers = Callers(connection, self._starts)
        self._resources = Resources(connection, self._starts)
        self._own = Own(connection, self._starts)

    def read(
        self, subjects: Sequence[Subject], readings: Mapping[str, Reading], at: datetime, most: int
    ) -> Mapping[str, Reading]:
        """The readings with what else their gates ask; `most` queries may be sent."""
        looks = [Gathered(subject, readings[subject.release], at) for subject in subjects if subject.gates]
        calling = [look for look in looks if _asks(look, {OUTGOING})]
        using = [look for look in looks if _asks(look, LEVELS)]
        owning = [look for look in looks if any(gate.query is not None for gate in look.subject.gates)]
        if calling:
            self._callers.read(calling)
        if using:
            self._resources.read(using)
        if owning:
            self._own.read(owning, most - bool(calling) - bool(using))
        for kept in (self._starts, self._resources.rates, self._own.waiting):
            kept.forget(at)
        touched = {look.subject.release: look for look in (*calling, *using, *owning)}
        return {id: touched[id].onto() if id in touched else reading for id, reading in readings.items()}

    def missed(self, subjects: Sequence[Subject], at: datetime) -> None:
        """A look that read nothing at all: the next one starts where this one did."""
        for subject in subjects:
            metrics = {gate.metric for gate in subject.gates}
            self._starts.missed(subject.release, metrics, subject.since, at)


def _asks(look: Gathered, metrics: frozenset[str] | set[str]) -> bool:
    return any(gate.metric in metrics for gate in look.subject.gates)
