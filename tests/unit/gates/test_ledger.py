"""The stored form of a trial: what is refused, and what an earlier release of Sluice left out."""

from dataclasses import replace
from typing import Any

import pytest

from strategies.gates.ledger import account_of, document, restored
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.roughness import Roughness
from strategies.gates.trial import opened

ERRORS = Metric("errors", Kind.COUNTS, 0.001, 0.005)
QUESTION = Question((ERRORS,))


def kept(**changes: object) -> dict[str, Any]:
    return {**document(opened(QUESTION, {})), **changes}


def test_evidence_of_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(ValueError, match="evidence of version 2, this is version 1"):
        restored(QUESTION, kept(v=2))


def test_evidence_on_other_metrics_than_those_asked_for_is_refused() -> None:
    other = Question((replace(ERRORS, name="checkout"),))
    with pytest.raises(ValueError, match="on other metrics than the question"):
        restored(other, kept())


def test_an_account_from_before_roughness_was_kept_begins_with_none() -> None:
    account = kept()["accounts"]["errors"]
    old = {name: value for name, value in account.items() if name not in {"roughness", "rough"}}
    found = account_of({**old, "paid": 0.8})
    assert (found.roughness, found.rough) == ((Roughness(), Roughness()), 1.0)
    assert found.paid == 0.8
