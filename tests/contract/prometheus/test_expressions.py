"""Every documented form over random series: the same series, the same values to 1e-9, the same refusals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.prometheus.syntax import AGGREGATIONS, ARITHMETIC, COMPARISONS, FUNCTIONS, SET_OPERATORS
from tests.contract.prometheus.forms import ERRORS, REFUSED, SUPPORTED
from tests.contract.prometheus.random_series import BASE, moments

if TYPE_CHECKING:
    from tests.contract.prometheus.pair import Pair


def test_all_that_the_stand_in_computes_is_among_the_forms() -> None:
    asked = set(re.findall(r"\w+|[=!<>]=|\S", " ".join(SUPPORTED)))
    computed = FUNCTIONS | AGGREGATIONS | SET_OPERATORS | COMPARISONS | ARITHMETIC
    assert computed - asked == set()


@pytest.mark.parametrize("query", SUPPORTED)
def test_a_documented_form_equals_prometheus_at_every_moment(pair: Pair, seed: int, query: str) -> None:
    for at in moments(seed, 7):
        pair.assert_same_answer(query, at)


@pytest.mark.parametrize("query", ERRORS)
def test_a_wrong_query_is_refused_as_prometheus_refuses_it(pair: Pair, query: str) -> None:
    pair.assert_same_answer(query, BASE + 200_000)


@pytest.mark.parametrize(("query", "named"), REFUSED.items())
def test_what_is_not_computed_is_refused_by_name(pair: Pair, query: str, named: str) -> None:
    built, _ = pair.ask("query", query=query, time=str(BASE / 1000))
    assert built.status_code == 400
    assert built.json()["errorType"] == "bad_data"
    assert named in built.json()["error"]
