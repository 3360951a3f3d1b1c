"""Why a gate does not pass, as one line."""

from bot.slack.evidence import LONGEST_WHY, reasons
from strategies.verdicts import Outcome
from tests.builders import a_verdict

ESTIMATE = "worse by +0.5 pp can be ruled out after about 1,900 more requests (11 min at this rate)."


def test_what_the_reason_names_is_not_said_twice() -> None:
    missing = "1,900 more requests (about 11 min at this rate)"
    line = reasons([a_verdict(Outcome.WAIT, reason=ESTIMATE, missing=missing)])
    assert line.count("1,900 more requests") == 1
    assert line == f"🟡 *errors* {ESTIMATE}"


def test_what_the_reason_does_not_name_is_added() -> None:
    line = reasons([a_verdict(Outcome.WAIT, reason="No latency of v2 in this look.", missing="data")])
    assert line.endswith("No latency of v2 in this look. (data)")


def test_a_long_reason_ends_with_an_ellipsis() -> None:
    line = reasons([a_verdict(Outcome.FAIL, reason="why " * 200)])
    assert line.endswith("…")
    assert len(line) < LONGEST_WHY + 20


def test_gates_that_wait_for_the_same_reason_stand_in_one_line() -> None:
    every = [a_verdict(Outcome.WAIT, name, reason="No look yet.") for name in ("split", "errors", "latency_p95")]
    lines = reasons([*every, a_verdict(Outcome.FAIL, "orders", reason="Too few.")]).splitlines()
    assert lines == ["🔴 *orders* Too few.", "🟡 *split, errors, latency_p95* No look yet."]
    assert "+2 more*" in reasons([a_verdict(Outcome.WAIT, f"gate{n}", reason="No look yet.") for n in range(6)])
