"""Lines in, answers out."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.replay.session import Session
from tests.unit.replay.lines import COUNTS, GAUGE, LATENCY, config, fed, look, replayed, times


def test_each_look_gets_one_answer_with_every_key() -> None:
    [answer, ending] = replayed(config(), look(10))
    assert list(answer) == ["release", "t", "verdict", "harm_odds", "safe_odds", "needed_requests", "reason"]
    assert (answer["release"], answer["t"], answer["verdict"]) == ("a", 10, "wait")
    assert ending == {"release": "a", "decision": "hold", "t": 10, "reason": ending["reason"]}


def test_a_decision_follows_its_look_and_ends_the_answers() -> None:
    answers = replayed(config(), *(look(10 * n, (950, 1), (50, 25)) for n in range(1, 9)))
    assert [answer.get("decision") for answer in answers] == [None, None, "roll_back"]
    assert answers[-1]["t"] == answers[-2]["t"] == 20
    assert answers[-2]["verdict"] == "fail"


def test_without_a_deadline_all_of_alpha_is_sequential() -> None:
    odds = {}
    for deadline in (None, 900):
        answers = replayed(config(deadline_s=deadline, history={"errors": [[6000, 6]] * 60}),
                           *(look(10 * n, (950, 1), (50, 2)) for n in range(1, 20)))  # fmt: skip
        odds[deadline] = next(answer["harm_odds"] for answer in answers if answer["verdict"] == "fail")
    assert 100 <= odds[None] <= odds[900]
    assert odds[900] >= 200


def test_promotion_comes_at_the_end_of_the_input_or_at_the_deadline_or_as_soon_as_possible() -> None:
    looks = [look(10 * n, (4750, 5), (250, 0)) for n in range(1, 100)]
    ends = {}
    ways: dict[str, dict[str, Any]] = {"end": {"deadline_s": None}, "deadline": {}, "asap": {"promote": "asap"}}
    for name, more in ways.items():
        answers = replayed(config(**more), *looks)
        [decision] = [answer for answer in answers if "decision" in answer]
        assert decision["decision"] == "promote"
        ends[name] = decision["t"]
    assert (ends["end"], ends["deadline"]) == (990, 900)
    assert ends["asap"] < 300


def test_releases_are_mixed_and_answered_in_the_order_of_the_lines() -> None:
    lines = [config("a"), config("b"), *(look(10 * n, release=name) for n in (1, 2) for name in "ab")]
    assert [answer["release"] for answer in replayed(*lines)] == ["a", "b", "a", "b", "a", "b"]


@pytest.mark.parametrize("lost", [None, []])
def test_a_lost_scrape_changes_no_odds(lost: object) -> None:
    first, second, _ = replayed(config(), look(10), look(20, candidate=lost))
    assert [first[key] for key in ("harm_odds", "safe_odds")] == [second[key] for key in ("harm_odds", "safe_odds")]
    assert second["verdict"] == "wait"


@pytest.mark.parametrize("history", [None, {}, {"errors": None}, {"errors": []}, {"errors": [None, [600, 1], []]}])
def test_a_history_may_be_empty_and_may_have_holes(history: object) -> None:
    answer, _ = replayed(config(history=history), look(10))
    assert answer["verdict"] == "wait"


def test_a_lost_scrape_at_the_deadline_holds_whatever_the_odds() -> None:
    looks = [look(10 * n, (4750, 5), (250, 0)) for n in range(1, 90)]
    *_, last, decision = replayed(config(), *looks, look(900, (4750, 5), None))
    assert last["safe_odds"] > 20
    assert (last["verdict"], decision["decision"], decision["t"]) == ("wait", "hold", 900)


def test_the_deadline_is_the_first_look_at_or_after_it() -> None:
    answers = replayed(config(deadline_s=25), *(look(10 * n) for n in range(1, 6)))
    assert [answer["t"] for answer in answers] == [10, 20, 30, 30]


def test_needed_requests_shrink_by_what_came_and_end_at_zero() -> None:
    looks = [look(10 * n, (950, 1), (50, 0)) for n in range(1, 60)]
    needed = [answer["needed_requests"] for answer in replayed(config(promote="deadline"), *looks)[:-1]]
    assert all(type(number) is int for number in needed)
    assert needed[0] > needed[2] > needed[-1] == 0


def test_pods_are_added_up() -> None:
    one, _ = replayed(config(), look(10, (950, 2), (50, 1)))
    many, _ = replayed(config(), look(10, [[900, 1], [50, 1]], [[25, 0], [25, 1]]))
    assert many == one


def test_the_look_after_a_changed_weight_is_skipped_and_says_so() -> None:
    answers = replayed(config(), look(10), look(20, weight=10), look(30, weight=10), look(40, weight=5))
    assert ["kipped" in answer["reason"] for answer in answers[:4]] == [False, True, False, True]


def test_every_latency_reason_names_the_boundary_that_is_tested() -> None:
    history = {"latency_p99": [times(10)] * 60}
    looks = [
        look(
            10 * n,
            weight=5 + (n == 4),
            baseline={"latency_p99": times(10)},
            candidate={"latency_p99": times(slow, 100)},
        )
        for n, slow in ((1, 1), (2, 3), (3, 8), (4, 9), (5, 10), (6, 10), (7, 10))
    ]
    looks.insert(1, {**looks[0], "candidate": {"latency_p99": None}})
    answers = replayed(config(metrics=[LATENCY], history=history), *looks)
    assert answers[-1]["decision"] == "roll_back"
    assert all("250 ms" in answer["reason"] for answer in answers)


def test_latency_without_history_takes_its_boundary_from_the_first_look() -> None:
    arms = {"baseline": {"latency_p99": times(10)}, "candidate": {"latency_p99": times(1, 100)}}
    first, second, _ = replayed(config(metrics=[LATENCY]), look(10, **arms), look(20, **arms))
    assert (first["harm_odds"], second["harm_odds"] != 1) == (1, True)
    assert "250 ms" in first["reason"]


def test_a_gauge_outside_what_is_tolerated_holds() -> None:
    lines = [look(10 * n, baseline={"revenue": 100}, candidate={"revenue": 90 + n % 2}) for n in range(1, 91)]
    history = {"revenue": [100 + n % 3 for n in range(200)]}
    answers = replayed(config(metrics=[GAUGE], history=history), *lines)
    assert answers[-1]["decision"] == "hold"
    assert {answer["harm_odds"] for answer in answers[:-1]} == {1.0}
    assert answers[0]["reason"].endswith("it says nothing before 20 looks.")
    assert "not better than the tolerated 5; a gauge holds and rolls nothing back" in answers[-1]["reason"]
    noisy = [look(10 * n, baseline={"revenue": 100}, candidate={"revenue": 50 + n % 2 * 100}) for n in range(1, 25)]
    assert replayed(config(metrics=[GAUGE]), *noisy)[-1]["reason"].endswith("a drop of 5 is not ruled out yet.")


def test_a_config_given_again_is_no_second_release_but_a_different_one_is_refused() -> None:
    session = Session()
    assert fed(session, config(), look(10), config(), look(20))[1] == ""
    assert fed(session, config(alpha=0.02)) == ([], 'line 5: a second config of "a" that differs from the first')


BAD: list[tuple[object, str]] = [
    (b"{", "broken JSON"),
    (b"[1]", "must be an object"),
    (b'{"release": "a", "t": NaN}', "NaN is no number"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[" * 100_000, "broken JSON"),
    (look(30, release="ghost"), 'a look of "ghost" before its config'),
    (look(5), "falls from 10 to 5"),
    ({**look(20), "extra": 1}, "unknown key"),
    (look(20, baseline=[10, 11]), "more bad (11) than requests (10)"),
    (look(20, baseline=[-1, 0]), "must not be negative"),
    (look(20, baseline=[10, 1.5]), "whole number"),
    (look(20, baseline=[10, True]), "whole number"),
    (look(20, baseline=[10]), "[requests, bad]"),
    (look(20, baseline="no"), "must be a list"),
    (look(20, weight=101), "weight must be 0 to 100"),
    (look("soon"), "t must be a number"),  # type: ignore[arg-type]
    ({"release": "a", "t": 20, "weight": 5, "baseline": {"errors": [1, 0]}}, "candidate is missing"),
    ({**look(20), "baseline": {"error": [1, 0]}}, "did you mean 'errors'?"),
    ({"t": 20}, "release must be a name"),
    ({"release": "b", "config": {}}, "metrics must be a list"),
    (config("b", alpha=0), "alpha must be"),
    (config("b", alphas=0.01), "did you mean 'alpha'?"),
    (config("b", promote="now"), "promote must be"),
    (config("b", metrics=[{**COUNTS, "kind": "count"}]), "kind of 'errors' must be one of"),
    (config("b", metrics=[{**COUNTS, "better": "up"}]), "better of 'errors'"),
    (config("b", metrics=[{**COUNTS, "tolerated": 0.0001}]), "must not be less than allowed"),
    (config("b", metrics=[{**COUNTS, "quantile": 0.5}]), "belongs to latency"),
    (config("b", metrics=[{**LATENCY, "better": "higher"}]), "must be lower"),
    (config("b", metrics=[COUNTS, COUNTS]), "each once"),
    (config("b", metrics=[{**COUNTS, "weight_in_budget": 0}]), "above 0"),
    (config("b", history={"errors": [[1, 2]]}), "more bad (2) than requests (1)"),
    (config("b", history={"latency": []}), "unknown key"),
]


@pytest.mark.parametrize(("line", "why"), BAD, ids=[why for _, why in BAD])
def test_a_bad_line_says_why_after_the_good_ones_were_answered(line: object, why: str) -> None:
    answers, trouble = fed(Session(), config(), look(10), b"  ", line, look(50))
    assert [answer["t"] for answer in answers] == [10]
    assert trouble.startswith("line 4: ")
    assert why in trouble


@pytest.mark.parametrize(
    ("le", "counts", "why"),
    [
        ([50, 100], [1, 2], 'must end with "+Inf"'),
        ([100, 50, "+Inf"], [1, 2, 3], "must ascend"),
        ([50, "+Inf"], [1], "1 counts for 2 le"),
        ([50, "+Inf"], [3, 2], "never fall"),
        (["50", "+Inf"], [1, 2], "must be a number"),
    ],
)
def test_a_histogram_that_is_none_is_refused(le: list[object], counts: list[int], why: str) -> None:
    line = look(10, baseline={"latency_p99": {"le": le, "counts": counts}}, candidate={"latency_p99": None})
    assert why in fed(Session(), config(metrics=[LATENCY]), line)[1]


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.sampled_from(["a", "counts", "+Inf"])
)
keys = st.sampled_from(
    ["release", "config", "t", "weight", "baseline", "candidate", "errors", "metrics", "history", "le"]
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=12,
)


@given(st.lists(st.one_of(st.binary(max_size=40), st.dictionaries(keys, values, max_size=6), values), max_size=5))
@settings(max_examples=200)
def test_no_line_whatever_it_holds_brings_anything_but_answers_or_a_reason(lines: list[Any]) -> None:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    answers, trouble = fed(Session(), config(), *texts)
    assert all("release" in answer for answer in answers)
    assert trouble == "" or trouble.startswith("line ")


@given(
    st.dictionaries(st.sampled_from(["t", "weight", "baseline", "candidate", "release"]), values, max_size=2),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=2, max_size=2),
)
@settings(max_examples=200)
def test_a_look_with_something_else_in_one_place_is_judged_or_refused(spoiled: dict[str, Any], pair: list[Any]) -> None:
    (n0, x0), (n1, x1) = pair
    good = look(10, (n0, min(x0, n0)), (n1, min(x1, n1)))
    answers, trouble = fed(Session(), config(), good, {**good, **spoiled})
    assert answers[0]["t"] == 10
    assert (len(answers) > 1) or trouble or answers[0]["verdict"]
