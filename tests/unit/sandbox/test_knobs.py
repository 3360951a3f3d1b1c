"""Knobs: what may be turned, and a refusal that names what is wrong."""

import json
import math

import pytest

from bot.sandbox.bad_input import BadInputError
from bot.sandbox.cluster.pod_process import Knobs
from bot.sandbox.knobs import KnobOrder, ShopOrder, read, read_shop

VERSIONS = ("v1", "v2")


def test_a_whole_order_is_read_as_it_stands() -> None:
    document = {"version": "v2", "error_rate": 0.1, "delay_ms": 0, "orders": 0.5, "dead": False}
    assert read(document, VERSIONS) == KnobOrder("v2", error_rate=0.1, delay_ms=0.0, orders=0.5, dead=False)


def test_a_knob_that_is_not_named_is_left_alone() -> None:
    assert read({"version": "v1", "dead": True}, VERSIONS) == KnobOrder("v1", dead=True)


@pytest.mark.parametrize(
    ("document", "field", "allowed"),
    [
        ({}, "version", "one of v1, v2"),
        ({"version": "v3"}, "version", "one of v1, v2"),
        ({"version": ["v1"]}, "version", "one of v1, v2"),
        ({"version": "v2", "error_rate": 1.1}, "error_rate", "a number from 0 to 1"),
        ({"version": "v2", "error_rate": -0.1}, "error_rate", "a number from 0 to 1"),
        ({"version": "v2", "error_rate": True}, "error_rate", "a number from 0 to 1"),
        ({"version": "v2", "error_rate": math.nan}, "error_rate", "a number from 0 to 1"),
        ({"version": "v2", "delay_ms": "slow"}, "delay_ms", "a number from 0 to 60000"),
        ({"version": "v2", "delay_ms": 60_001}, "delay_ms", "a number from 0 to 60000"),
        ({"version": "v2", "orders": 2}, "orders", "a number from 0 to 1"),
        ({"version": "v2", "dead": 1}, "dead", "true or false"),
        ({"version": "v2", "errors": 0.1}, "errors", "one of dead, delay_ms, error_rate, orders, version"),
    ],
)
def test_an_impossible_order_is_refused_by_field_and_allowed_values(
    document: dict[str, object], field: str, allowed: str
) -> None:
    with pytest.raises(BadInputError) as refused:
        read(document, VERSIONS)
    assert (refused.value.field, refused.value.allowed) == (field, allowed)
    assert refused.value.document()["error"] == "bad_input"


def test_what_both_versions_feel_is_read_with_its_limits() -> None:
    assert read_shop({"rate": 1, "dependency": 0.3}) == ShopOrder(1.0, 0.3)
    assert read_shop({"rate": 20}) == ShopOrder(20.0)
    for document in ({"rate": 301}, {"dependency": 1.5}, {"version": "v2"}):
        with pytest.raises(BadInputError):
            read_shop(document)


def test_a_failing_dependency_adds_to_a_versions_own_failures() -> None:
    assert json.loads(Knobs(error_rate=0.5, dependency=0.5).line())["error_rate"] == 0.75
