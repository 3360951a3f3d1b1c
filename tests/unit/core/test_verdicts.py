"""What was not measured is not zero: rates and shares need requests."""

from datetime import timedelta

import pytest

from strategies.verdicts import Arm, Reading
from tests.builders import NOW, a_reading


@pytest.mark.parametrize("arm", [Arm(), Arm(0.0, 0.0), Arm(10.0, None)])
def test_without_requests_or_errors_measured_there_is_no_error_rate(arm: Arm) -> None:
    assert arm.error_rate is None


def test_the_error_rate_is_errors_per_request() -> None:
    assert Arm(200.0, 3.0).error_rate == pytest.approx(0.015)


def test_the_share_is_the_candidates_part_of_all_requests() -> None:
    assert a_reading().share == pytest.approx(0.05)


def test_a_version_that_was_not_measured_has_no_part() -> None:
    assert a_reading(candidate=Arm()).share == pytest.approx(0.0)
    assert a_reading(baseline=Arm()).share == pytest.approx(1.0)


@pytest.mark.parametrize("arm", [Arm(), Arm(0.0)])
def test_without_requests_there_is_no_share(arm: Arm) -> None:
    assert Reading(NOW, NOW - timedelta(seconds=15), arm, arm).share is None
