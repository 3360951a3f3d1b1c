"""Every phase meets every event: it moves, is ignored, or is refused by name."""

from typing import get_args

import pytest

from strategies.decision import Decision
from strategies.events import Event
from strategies.machine import TRANSITIONS, Course, decide
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase
from tests.builders import NOW
from tests.unit.core.events_of import LATER, in_phase, one_of_each

COURSES = {
    "m": Course.MOVES,
    "-": Course.IGNORED,
    "w": ReasonCode.WRONG_PHASE,
    "a": ReasonCode.ALREADY_RELEASING,
}
# Written a second time, in the order of a life: whoever changes what may happen in a phase says it twice.
#     scheduled preparing shifting observing awaiting_approval paused
#     soaking decommissioning rolling_back stuck completed rolled_back
TABLE = """
ReleaseRequested     a a a a a a a a a a a a
ApprovalGiven        w w m m m m w m w w w w
GuardOverridden      m m w w w w w w w w w w
PauseRequested       m m m m m - m m w w w w
ResumeRequested      w w w w w m w w w m w w
RollbackRequested    m m m m m m m m m m m m
SuccessorRequested   a a a a a m a m a m a a
ScheduleRequested    m w m m m w w w w w w w
DriftResolved        w w w w w m w w w m w w
Prepared             - m - - - - - - - - - -
PreparationBlocked   - m - - - - - - - - - -
HistoryRead          - m m m m m m - - m - -
RouteConfirmed       - - m m m m m - m m - -
DriftFound           - - m m m m m - - - - -
LookTaken            - - m m m m m - - m - -
SmokeAnswered        - - m m m m - - - m - -
WakeReached          m m m m m m m m m m - -
ClusterChanged       - m m - - - - - - - - -
CapacityLacked       - - m - - - - - - - - -
BaselineWatched      - - - - - - - m - - - -
BaselineRetired      - - - - - - - m - - - -
BaselineAwaited      - - - - - - - - m m - -
EffectFailed         - m m m m m m m m - - -
"""

PAIRS = [(phase, event) for phase in Phase for event in one_of_each(in_phase(phase))]


def test_the_table_has_a_row_for_every_event_and_a_cell_for_every_phase() -> None:
    assert set(TRANSITIONS) == set(get_args(Event))
    assert all(set(row) == set(Phase) for row in TRANSITIONS.values())


def test_the_table_says_what_is_meant() -> None:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    meant = {name: dict(zip(Phase, (COURSES[cell] for cell in cells), strict=True)) for name, *cells in rows}
    assert {event.__name__: dict(row) for event, row in TRANSITIONS.items()} == meant


def test_one_of_each_covers_every_kind_of_event() -> None:
    assert {type(event) for event in one_of_each(in_phase(Phase.OBSERVING))} == set(get_args(Event))


@pytest.mark.parametrize(("phase", "event"), PAIRS, ids=lambda value: getattr(value, "value", type(value).__name__))
def test_each_pair_moves_ignores_or_refuses_by_name(phase: Phase, event: Event) -> None:
    release = in_phase(phase)
    course = TRANSITIONS[type(event)][phase]
    outcome = decide(release, event, LATER)
    if isinstance(course, ReasonCode):
        assert isinstance(outcome, Refused)
        assert outcome.reason_code is course
        assert outcome.text.endswith((".", release.target.baseline))
    elif course is Course.IGNORED:
        assert outcome == Decision(release, is_notable=False)
    else:
        # A rule may still refuse, but only by a code of its own and never silently.
        assert isinstance(outcome, Decision) or outcome.text


def test_an_event_for_no_release_is_refused_by_name() -> None:
    for event in one_of_each(in_phase(Phase.OBSERVING))[1:]:
        outcome = decide(None, event, NOW)
        assert isinstance(outcome, Refused)
        assert outcome.reason_code is ReasonCode.UNKNOWN_RELEASE


def test_facts_are_never_refused() -> None:
    requests = 9
    for phase in Phase:
        for fact in one_of_each(in_phase(phase))[requests:]:
            assert isinstance(decide(in_phase(phase), fact, LATER), Decision)
