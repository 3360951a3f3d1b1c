"""What stands beside an error rate: callers that hang up, retries in vain, errors that name no version."""

from dataclasses import replace

import pytest

from strategies.gates.nameless import AT_CHANGE, Nameless, plain, restored
from strategies.gates.past import Past, keep, recall
from strategies.plan import Margin
from strategies.verdicts import Arm, Outcome, Verdict
from tests.unit.gates.looks import ERRORS, Judge, an_arm

TOLERANT = replace(ERRORS, limit=None, allowed=Margin(0.01))
SURE = replace(TOLERANT, tolerated=Margin(0.03))
BASE, OURS = an_arm(750), an_arm(250)


def cancelling(arm: Arm, number: float) -> Arm:
    return replace(arm, cancelled=number)


def last(judge: Judge, looks: int, baseline: Arm = BASE, candidate: Arm = OURS, **changes: object) -> Verdict:
    return [judge.see(baseline, candidate, **changes)["errors"] for _ in range(looks)][-1]


def a_judge(errors: float, hours: float = 1.0) -> Judge:
    """A judge that knows how many errors named no version before the release."""
    judge = Judge(TOLERANT)
    judge.past = keep(Past(nameless=(errors, 3600 * hours)))
    return judge


@pytest.mark.parametrize("gate", [TOLERANT, SURE])
def test_callers_that_hang_up_on_the_candidate_hold_it_and_are_no_errors(gate: object) -> None:
    verdict = last(Judge(gate), 12, candidate=cancelling(OURS, 20))  # type: ignore[arg-type]
    assert verdict.outcome is Outcome.WAIT
    assert verdict.candidate == 0
    assert "callers hung up on 8.0 % vs 0 %" in verdict.reason
    assert verdict.missing == "callers that wait for their answers"


def test_callers_that_hang_up_on_both_alike_hold_nothing() -> None:
    verdict = last(Judge(TOLERANT), 12, cancelling(BASE, 60), cancelling(OURS, 20))
    assert verdict.outcome is Outcome.PASS
    assert "callers hung up on 8.0 % vs 8.0 %" in verdict.reason


def test_retries_in_vain_are_shown() -> None:
    verdict = last(Judge(TOLERANT), 1, candidate=replace(an_arm(250, 2), retried=2.0))
    assert verdict.reason.endswith("2 requests failed after retries.")


def test_a_counter_that_began_anew_marks_its_look() -> None:
    judge = Judge(TOLERANT)
    assert last(judge, 1, resets=2).reason.endswith("2 counters began anew, so this is the least that happened.")
    assert "began anew" not in last(judge, 1).reason


def test_as_many_nameless_errors_as_before_the_release_hold_nothing() -> None:
    verdict = last(a_judge(360), 20, unattributed=1.0)
    assert verdict.outcome is Outcome.PASS
    assert "version" not in verdict.reason


def test_nameless_errors_that_began_with_our_change_are_the_candidates() -> None:
    judge = a_judge(1)
    verdicts = [judge.see(an_arm(7500), an_arm(2480), unattributed=60.0)["errors"] for _ in range(6)]
    assert verdicts[-1].outcome is Outcome.FAIL
    assert "began with the change of the split and count as the candidate's" in verdicts[-1].reason


def test_nameless_errors_that_begin_later_hold_and_roll_nothing_back() -> None:
    judge = a_judge(1)
    last(judge, 10, an_arm(7500), an_arm(2480))
    verdict = last(judge, 10, an_arm(7500), an_arm(2480), unattributed=20.0)
    assert (verdict.outcome, verdict.missing) == (Outcome.WAIT, "errors that name a version")
    assert "200 errors name no version, more than before the release" in verdict.reason


def test_a_stage_without_them_is_a_time_before_as_well() -> None:
    judge = Judge(TOLERANT)
    last(judge, 30, an_arm(7500), an_arm(2480))
    judge.stage, judge.asked = 1, 0.5
    judge.see(an_arm(5000), an_arm(4960))
    outcomes = {last(judge, 1, an_arm(5000), an_arm(4960), unattributed=80.0).outcome for _ in range(6)}
    assert Outcome.FAIL in outcomes


def test_nothing_known_of_before_leaves_the_old_question() -> None:
    verdict = last(Judge(ERRORS), 3, an_arm(7500), an_arm(2480), unattributed=40.0)
    assert (
        "40 errors name no version; were they the candidate's" in verdict.reason or "name no version" in verdict.reason
    )
    assert verdict.outcome is Outcome.WAIT


def test_what_was_in_excess_never_becomes_usual() -> None:
    quiet = Nameless((1.0, 3600.0)).after(0, 600.0, (0.0, 0.0)).in_next_stage()
    assert quiet.before == (1.0, 4200.0)
    loud = quiet.after(100, 60.0, (0.0, 0.0))
    assert (loud.is_excess, loud.is_ours, loud.in_next_stage().before) == (True, True, quiet.before)
    late = quiet.after(0, AT_CHANGE + 1, (0.0, 0.0)).after(100, 60.0, (0.0, 0.0))
    assert (late.is_excess, late.is_ours) == (True, False)


def test_the_states_go_through_their_text_forms() -> None:
    state = Nameless((1.0, 3600.0)).after(100, 60.0, (0.0, 0.0))
    assert restored(plain(state)) == state  # type: ignore[arg-type]
    assert restored(()) == Nameless()
    assert recall(keep(Past(nameless=(5.0, 60.0)))).nameless == (5.0, 60.0)
