"""The command grammar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.requests import (
    ApproveRequest,
    DriftRequest,
    HelpRequest,
    ListRequest,
    OverrideRequest,
    PauseRequest,
    PreflightRequest,
    Request,
    ResumeRequest,
    RollbackRequest,
    ScheduleRequest,
    StartRequest,
    StatusRequest,
)
from bot.slack.commands import parse, parse_in_thread
from bot.slack.guide import TOPICS
from strategies.plan import Approve, StrategyName
from strategies.reasons import ReasonCode, Refused

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ODDITIES = (
    *("reviews-1", "v2", "steps=", "5,25", "at", "at=", "22:30", "tomorrow", "until", "25:61", "+99999d", "24:00"),
    *("2026-02-30", "9999-12-31", "0001-01-01", "9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "in", "--"),
    *("Europe/Nowhere", "../etc", "+14:00", '"', "=", ",", "<@", "&amp;"),
)
# The first text drawn builds a table of all characters, which is slow once and says nothing of the code.
patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def read(text: str) -> Request | Refused:
    return parse(text, NOW, BERLIN)


def refusal(text: str) -> Refused:
    found = read(text)
    assert isinstance(found, Refused), found
    return found


def steps(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def test_start_without_options_leaves_everything_to_the_profile() -> None:
    assert read("start reviews v2") == StartRequest("reviews", "v2")


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("preflight reviews", PreflightRequest("reviews")),
        ("Preflight Reviews v2", PreflightRequest("reviews", "v2")),
        ("preflight reviews.shop.svc.cluster.local", PreflightRequest("reviews.shop.svc.cluster.local")),
    ],
)
def test_a_preflight_takes_a_service_and_maybe_a_version(text: str, request_: Request) -> None:
    assert read(text) == request_


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("preflight", "preflight needs a service."),
        ("preflight reviews v2 steps=5", "takes a service and a version, not “steps=5”."),
        ("preflight reviews v=2", "“v=2” cannot be a version"),
        ("prefligth reviews", "Did you mean preflight?"),
    ],
)
def test_a_preflight_that_is_not_understood_is_taught(text: str, why: str) -> None:
    assert why in refusal(text).text


def test_start_takes_options_in_any_order() -> None:
    expected = StartRequest(
        "reviews",
        "v2",
        strategy=StrategyName.CANARY,
        steps=steps("5", "25", "50", "100"),
        hold=timedelta(minutes=10),
        approve=Approve.EVERY,
        baseline="v1",
        at=datetime(2026, 11, 21, 21, 30, tzinfo=UTC),
    )
    assert read("start reviews v2 canary steps=5,25,50,100 hold=10m approve=every baseline=v1 at=22:30") == expected
    assert read("start reviews v2 at=22:30 baseline=v1 approve=every hold=10m steps=5,25,50,100 canary") == expected


@pytest.mark.parametrize(
    "text",
    [
        "start reviews v2 phased from 50 by 25 every 15m to 100",
        "start reviews v2 from 50 by 25 every 15m phased",
        'start reviews v2 phased steps="from 50% by 25% every 15m to 100%"',
        "start reviews v2 phased steps from 50 by 25 to 100 hold=15m",
        "start reviews v2 hold=15m steps=50:50, 25:75, 0:100 phased",
        "start reviews v2 phased from 50 by 25 every 5m hold=15m",
        "start reviews v2 phased hold=15m from 50 by 25 every 5m",
    ],
)
def test_a_timetable_is_read_however_it_is_written(text: str) -> None:
    expected = StartRequest(
        "reviews", "v2", strategy=StrategyName.PHASED, steps=steps("50", "75", "100"), hold=timedelta(minutes=15)
    )
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "start reviews v2 steps=5%, 25%, 50%, 100%",
        "start reviews v2 steps = 5,25,50,100",
        "start reviews v2 steps 5,25,50,100",
        "start reviews v2 --steps=5,25,50,100",
        "start reviews v2 —steps=“5,25,50,100”",
        "START\u00a0Reviews v2   steps=5/25/50/100",
        "start <http://reviews|reviews> v2 steps=5,25,50,100",
        "start <http://reviews> v2 steps=5,25,50,100",
    ],
)
def test_what_keyboards_and_slack_make_of_text_is_understood(text: str) -> None:
    assert read(text) == StartRequest("reviews", "v2", steps=steps("5", "25", "50", "100"))


def test_plan_is_a_start_that_starts_nothing() -> None:
    assert read("plan reviews v2 hold=1h30m") == StartRequest("reviews", "v2", hold=timedelta(minutes=90), dry=True)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("5,25,abc", "“abc”"),
        ("50,25,100", "does not rise"),
        ("5,5,100", "does not rise"),
        ("5,125", "at most 100"),
        ("0,100", "above 0"),
        ("5,,100", "empty step"),
        ("-5,100", "no step"),
        ("1.234,100", "no step"),
        (",".join(str(n) for n in range(1, 40)), "more than 30"),
        ('"from 1 by 1 to 100"', "100 steps are more than 30"),
        ("50:50,90:10", "does not rise"),
    ],
)
def test_steps_that_cannot_be_are_refused_with_what_is_allowed(value: str, told: str) -> None:
    found = refusal(f"start reviews v2 steps={value}")
    assert found.reason_code is ReasonCode.BAD_STEPS
    assert told in found.text
    assert "steps=5,25,50,100" in found.text


@pytest.mark.parametrize(("value", "told"), [("from 5 by", "each with its value"), ("90:20,0:100", "sums to 110 %")])
def test_a_timetable_that_is_none_is_refused_with_how_one_is_written(value: str, told: str) -> None:
    found = refusal(f"start reviews v2 phased steps={value}")
    assert (found.reason_code, told in found.text) == (ReasonCode.BAD_STEPS, True)
    assert "from 5 by 10 every 15m to 100" in found.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("strat reviews v2", "Did you mean start?"),
        ("start reviews v2 stpes=5,100", "Did you mean steps=5,25,50,100?"),
        ("start reviews v2 cnary", "Did you mean canary?"),
        ("start reviews v2 approve=evry", "Did you mean approve=every?"),
        ("list actve", "Did you mean list active?"),
        ("drift reviews-1 restroe", "Did you mean restore?"),
        ("help shedule", "Did you mean schedule?"),
        ("start reviews v2 hold=10m hold=5m", "hold is given twice"),
        ("start reviews v2 at=22:30 at=23:30", "at is given twice"),
        ("start reviews v2 hold=10", "10m"),
        ("start reviews v2 hold=30m1h", "not understood"),
        ("start reviews v2 hold=99d", "at most 30 days"),
        ("start reviews v2 hold=", "needs a value"),
        ("start reviews", "needs a version"),
        ("start reviews steps=5,100", "needs a version"),
        ("start", "needs a service"),
        ("start reviews v2@latest", "cannot be a version"),
        ("start rev;iews v2", "neither a release nor a service"),
        ("start reviews v2 blu-green", "Did you mean blue-green?"),
        ("start reviews v2 ab match=x-beta", "has no value"),
        ("start reviews v2 ab match=hedaer:x-beta=1", "one of header, cookie"),
        ("start reviews v2 strategy=shade", "Did you mean strategy=shadow?"),
        ("rollback", "needs a release"),
        ("override reviews-1", "needs a reason"),
        ("resume reviews-1 now", "nothing else"),
        ("drift reviews-1", "adopt, restore, stop"),
        ("schedule reviews-1", "needs a time"),
        ("schedule reviews-1 at soon", "is no time"),
        ("schedule reviews-1 at 22:30 maybe", "auto, ask and until"),
        ("schedule reviews-1 at 22:30 auto ask", "once"),
        (f"pause reviews-1 {'x' * 1001}", "up to 1,000 characters"),
        ("x" * 3001, "up to 3,000 characters"),
    ],
)
def test_a_slip_is_refused_with_what_was_probably_meant(text: str, told: str) -> None:
    found = refusal(text)
    assert found.reason_code is ReasonCode.BAD_INPUT
    assert told in found.text


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", HelpRequest()),
        ("help start", HelpRequest("start")),
        ("start --help", HelpRequest("start")),
        ("status", StatusRequest()),
        ("status reviews-142", StatusRequest("reviews-142")),
        ("list", ListRequest("active")),
        ("list mine", ListRequest("mine")),
        ("approve Reviews-142 looks good, it's fine", ApproveRequest("reviews-142", "looks good, it's fine")),
        ("approve reviews-142 “fine &amp; well”", ApproveRequest("reviews-142", "fine & well")),
        ("pause reviews-142 ask <@U1|bob> a = b", PauseRequest("reviews-142", "ask @bob a = b")),
        ("resume reviews-142", ResumeRequest("reviews-142")),
        ("rollback reviews errors, 3 of 5", RollbackRequest("reviews", "errors, 3 of 5")),
        ("roll back reviews", RollbackRequest("reviews")),
        ("Roll-Back reviews", RollbackRequest("reviews")),
        ("drift reviews-1 ADOPT", DriftRequest("reviews-1", "adopt")),
        ("override reviews-1 known alert", ApproveRequest("reviews-1", override_reason="known alert")),
    ],
)
def test_each_subcommand_becomes_its_request(text: str, request_: Request) -> None:
    assert read(text) == request_


def test_a_rollback_is_never_refused_for_a_long_reason() -> None:
    assert read(f"rollback reviews {'x' * 2500}") == RollbackRequest("reviews", "x" * 1000)


def test_a_schedule_has_a_window_in_a_zone_and_says_whether_to_ask() -> None:
    assert read("schedule reviews-1 at tomorrow 02:00 Europe/Berlin ask until 05:00") == ScheduleRequest(
        "reviews-1",
        datetime(2026, 11, 22, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 22, 4, 0, tzinfo=UTC),
        unattended=False,
    )


def test_a_window_over_midnight_ends_on_the_next_day() -> None:
    assert read("schedule reviews-1 at 22:30 until 02:00") == ScheduleRequest(
        "reviews-1", datetime(2026, 11, 21, 21, 30, tzinfo=UTC), datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    )


@pytest.mark.parametrize("verb", ["approve", "pause", "resume", "rollback", "status"])
def test_in_a_thread_the_release_need_not_be_named(verb: str) -> None:
    found = parse_in_thread(verb, "reviews-7", NOW, BERLIN)
    assert not isinstance(found, Refused)
    assert vars_of(found)["subject"] == "reviews-7"


def test_in_a_thread_the_words_behind_the_verb_are_the_note() -> None:
    assert parse_in_thread("approve it looks good", "reviews-7", NOW, BERLIN) == ApproveRequest(
        "reviews-7", "it looks good"
    )


def test_in_a_thread_another_release_may_be_named() -> None:
    assert parse_in_thread("pause ratings-2 slow", "reviews-7", NOW, BERLIN) == PauseRequest("ratings-2", "slow")


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_example_of_the_guide_is_understood(topic: str) -> None:
    assert not isinstance(read(TOPICS[topic].example), Refused)


@patient
@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    assert is_answer(parse(text, NOW, BERLIN))
    assert is_answer(parse_in_thread(text, "reviews-1", NOW, BERLIN))


@patient
@given(
    st.sampled_from(sorted(TOPICS)),
    st.lists(
        st.one_of(
            st.sampled_from(ODDITIES),
            st.text(max_size=12),
        ),
        max_size=8,
    ),
)
def test_any_mixture_of_words_is_answered(verb: str, parts: list[str]) -> None:
    assert is_answer(parse(" ".join([verb, *parts]), NOW, BERLIN))


def is_answer(found: Request | Refused) -> bool:
    return bool(found.text) if isinstance(found, Refused) else isinstance(found, Request)


def vars_of(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in request.__dataclass_fields__}


def test_matches_and_copies_are_read_in_any_order() -> None:
    found = read("start reviews v2 ab match=header:X-Beta=1 steps=1,50 match=cookie:group=~b.*")
    assert isinstance(found, StartRequest)
    assert [str(match) for match in found.matches or ()] == ["header:x-beta=1", "cookie:group=~b.*"]
    assert (found.strategy, found.steps) == (StrategyName.AB, (Decimal(1), Decimal(50)))
    shadow = read("start reviews v2 shadow mirror=1,10")
    assert isinstance(shadow, StartRequest)
    assert shadow.mirror == (Decimal(1), Decimal(10))
    assert refusal("start reviews v2 shadow mirror=50,10").reason_code is ReasonCode.BAD_STEPS


def test_a_start_may_override_guards_with_a_reason() -> None:
    found = read('start reviews v2 override=stateful,NEEDS reason="one pod, see INC-7"')
    assert found == StartRequest(
        "reviews",
        "v2",
        overrides=(ReasonCode.STATEFUL, ReasonCode.NEEDS),
        override_reason="one pod, see INC-7",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("start reviews v2 override=STATEFUL", "override= needs a reason"),
        ("start reviews v2 reason=because", "reason= needs what it overrides"),
        ("start reviews v2 override=STATEFULL reason=x", "Did you mean STATEFUL?"),
        ("start reviews v2 override=SAME_VERSION reason=x", "There are STATEFUL, MIXED_VERSIONS"),
        ("override reviews-1 NOT_STAGED", "needs a reason"),
    ],
)
def test_an_override_that_says_too_little_is_refused(text: str, told: str) -> None:
    assert told in refusal(text).text


def test_a_rule_behind_the_release_lifts_a_guard_and_other_words_are_a_reason() -> None:
    lifted = OverrideRequest("reviews-1", ReasonCode.NOT_STAGED, "tested by hand")
    assert read('override reviews-1 not_staged "tested by hand"') == lifted
    assert read("override reviews-1 NOT_STAGED tested by hand") == lifted
    assert read("override reviews-1 known noise") == ApproveRequest("reviews-1", override_reason="known noise")


@pytest.mark.parametrize(
    "text",
    [
        "reviews v2",
        "reviews v2 blue-green hold=1h30m",
        "reviews v2 phased from 5 by 10 every 15m to 100",
        "reviews v2 ab match=header:x-beta=1 steps=1,50 at tomorrow 02:00",
        'reviews v2 override=STATEFUL reason="one pod, see INC-7"',
        'reviews v2 at="2026-12-01 02:00 Europe/Berlin"',
    ],
)
def test_a_plan_keeps_the_words_that_would_start_it(text: str) -> None:
    planned = read(f"plan {text}")
    assert isinstance(planned, StartRequest)
    assert read(f"start {planned.words}") == replace(planned, dry=False)
