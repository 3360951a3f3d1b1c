"""What a preflight found, as a private answer."""

from dataclasses import replace

from bot.preflight import unread
from bot.requests import Planned, Preflighted
from bot.slack.answers import render
from bot.slack.limits import violations
from tests.builders import a_plan, a_target
from tests.unit.preflight.days import BOUNDED, ERRORS, P99, a_course, asking, found
from tests.unit.slack.reading import texts
from tests.unit.slack.releases import NASTY

HEALTHY = found(ERRORS, errors=a_course((0.002, 0.002)))


def test_every_gate_has_a_line_every_stage_a_row_and_the_advice_is_last() -> None:
    shown = texts(render(Preflighted(asking(ERRORS), HEALTHY), "/release"))
    assert "Preflight: reviews v1 → v2 · canary" in shown
    assert "*errors*: ready" in shown
    assert "one pod against the rest 0 of 48 rolled back" in shown
    assert "25 %              18,000  500 for min_requests" in shown
    assert "*Advice* At about 72,000 requests an hour every stage can be answered within its time." in shown
    assert "nothing was started" in shown


def test_warnings_are_shown_and_a_gate_without_series_is_named() -> None:
    slow = replace(a_course((0.01, 0.05)), edge=250.0, allowed=0.01, tolerated=0.02, usual=480.0)
    message = render(Preflighted(asking(BOUNDED, P99), found(BOUNDED, P99, latency_p99=slow)), "/release")
    assert violations(message.payload()) == []
    assert "*errors*: cannot be asked" in texts(message)
    assert "⚠️ latency_p99: the baseline itself is at 480 ms, above the limit of 400 ms." in texts(message)


def test_before_anything_was_read_no_table_of_nothing_is_shown() -> None:
    answer = Preflighted(asking(ERRORS), found(ERRORS, errors=a_course((0.002, 0.002), minutes=0)))
    shown = texts(render(answer, "/release"))
    assert "*Advice* No gate can be answered" in shown and "⚠️ errors: " in shown
    assert "never" not in shown and "min_requests" not in shown


def test_a_time_that_could_not_be_read_is_said() -> None:
    message = render(Preflighted(asking(ERRORS), unread(NASTY)), "/release")
    assert violations(message.payload()) == []
    assert "⚠️ The time before the release could not be read:" in texts(message)
    assert "<!channel>" not in texts(message)


def test_a_plan_shows_its_preflight() -> None:
    planned = Planned(a_target(), a_plan(), (), preflight=(HEALTHY.advice, "errors: watch out."))
    shown = texts(render(planned, "/release"))
    assert "*Preflight*\n• At about 72,000 requests an hour" in shown
    assert "• errors: watch out." in shown
