"""Versions in their natural order, and those that have none."""

import pytest

from strategies.versions import compare


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("v2", "v3"),
        ("v2", "v10"),
        ("2.9", "2.14"),
        ("v2.9.9", "3"),
        ("v3.0.0-rc.1", "v3.0.0"),
        ("v3-rc.2", "v3-rc.10"),
        ("v3-alpha", "v3-beta"),
        ("release-7", "release-8"),
        ("2026-11-02", "2026-11-05"),
    ],
)
def test_numbers_are_compared_as_numbers(earlier: str, later: str) -> None:
    assert (compare(earlier, later), compare(later, earlier)) == (-1, 1)


@pytest.mark.parametrize(("one", "other"), [("v3", "3"), ("v3", "v3.0"), ("V3", "v3"), ("blue", "blue")])
def test_two_names_of_one_version_are_equal(one: str, other: str) -> None:
    assert compare(one, other) == 0


@pytest.mark.parametrize(
    ("one", "other"), [("blue", "v3"), ("a1b2c3d", "v3"), ("release-7", "v8"), ("v3a", "v3b"), ("", "v1")]
)
def test_names_without_an_order_are_not_guessed_about(one: str, other: str) -> None:
    assert compare(one, other) is None
    assert compare(other, one) is None
