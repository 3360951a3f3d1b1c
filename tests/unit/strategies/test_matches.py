"""Matches are read as people write them; what a proxy cannot match on is refused."""

from decimal import Decimal

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from strategies import matches, patterns
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Match


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("header:x-beta=1", Match("header:x-beta", "v2", exact="1")),
        ("header:X-Beta = Yes=No", Match("header:x-beta", "v2", exact="Yes=No")),
        ("Cookie:Group=~beta|gamma", Match("cookie:Group", "v2", regex="beta|gamma")),
        ("query:beta=1", Match("query:beta", "v2", exact="1")),
        ("uri^=/beta", Match("uri", "v2", prefix="/beta")),
        ("method=GET", Match("method", "v2", exact="GET")),
        ("authority=beta.shop.example", Match("authority", "v2", exact="beta.shop.example")),
        ("source-label:app=web", Match("source_label:app", "v2", exact="web")),
        ("source_label:app.kubernetes.io/name=web", Match("source_label:app.kubernetes.io/name", "v2", exact="web")),
    ],
)
def test_a_match_is_read_as_it_is_written(text: str, expected: Match) -> None:
    assert matches.read(text, "v2") == expected


def test_a_match_may_be_shared() -> None:
    found = matches.read("header:x-beta=1", "v2", Decimal(1))
    assert isinstance(found, Match)
    assert (found.share, str(found)) == (Decimal(1), "header:x-beta=1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("header:x-beta", "has no value"),
        ("header:x-beta=", "has no value"),
        ("header=1", "needs a name"),
        ("uri:/beta=1", "takes no name"),
        ("body:x=1", "'body' is nothing that requests are matched on"),
        ("header::method=GET", "no name of a header"),
        ("header:x beta=1", "no name of a header"),
        ("cookie:a;b=1", "no name of a cookie"),
        ("cookie:a=1;b", "no value of a cookie"),
        ("source_label:-=x", "no name of a label"),
        ("source_label:app^=we", "source labels whole"),
        ("uri=/a\nb", "without control characters"),
        ("uri=~/(?=beta)", "is refused"),
        ("uri=~[", "is refused"),
    ],
)
def test_what_istio_cannot_match_on_is_refused_with_examples(text: str, why: str) -> None:
    found = matches.read(text, "v2")
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.BAD_INPUT
    assert why in found.text
    assert "header:x-beta=1" in found.text


@pytest.mark.parametrize("part", ["source_label", "cookie"])
def test_a_match_built_elsewhere_is_checked_alike(part: str) -> None:
    assert matches.trouble(Match(f"{part}:app", "v2", exact="web")) == ""
    assert "needs a name" in matches.trouble(Match(part, "v2", exact="web"))


def test_an_upper_case_header_built_elsewhere_is_no_match() -> None:
    assert "lower-case" in matches.trouble(Match("header:X-Beta", "v2", exact="1"))


@pytest.mark.parametrize("share", ["0", "-1", "101", "0.001", "NaN"])
def test_a_share_that_cannot_be_served_cannot_be_built(share: str) -> None:
    with pytest.raises(ValueError, match="share of a match"):
        Match("uri", "v2", exact="/", share=Decimal(share))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(.*?;)?(user=jason)(;.*)?$",
        ".*Mobile.*",
        r"[a-z0-9_\-]{3,32}?",
        "(?i)beta|gamma",
        r"\d+\.\d+",
        "(?P<n>a)[]^x]",
        "/users/{id}",  # a brace that repeats nothing
    ],
)
def test_a_usual_pattern_is_taken(pattern: str) -> None:
    assert patterns.trouble(pattern) == ""


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?<!a)",
            r"(a)\1",
            "(?P<n>a)(?P=n)",
            "(a)(?(1)b|c)",
            "(?>a)",
            "a++",
            "a*+",
            "a**",
        ),
        *(r"\Z", r"\u0041", r"\p{L}", "[[:alpha:]]", "a{1001}", "(?#c)", "a(?i)b", "[a--b]", "[a&&b]", "", "a" * 1025),
        *("(", "[", "a)", "*a", "\\", r"\x1", r"[\b]", r"[\p]", "x{2}{3}", "x{,3}"),
    ],
)
def test_what_only_one_of_the_engines_takes_is_refused(pattern: str) -> None:
    assert patterns.trouble(pattern)


pieces = st.sampled_from(
    [
        *"ab.^$|()[]-{}?*+,:=!<>#\\",
        "(?:",
        "(?P<n>",
        "(?i)",
        r"\d",
        r"\b",
        r"\w",
        r"\.",
        r"\x41",
        "{2,3}",
        "[^a]",
        "[]a]",
        "é",
    ]
)


@given(st.lists(pieces, max_size=10).map("".join))
def test_whatever_is_taken_is_taken_by_re2(pattern: str) -> None:
    if not patterns.trouble(pattern):
        options = re2.Options()
        options.log_errors = False
        assert re2.compile(pattern, options) is not None


@pytest.mark.parametrize(
    "text", ["uri^=/", "uri=~.*", "uri=~/.*", "authority=~.*", "authority=~[^/]+", "method=~.*", "method=~[A-Z]+"]
)
def test_a_match_that_takes_everybody_is_no_group(text: str) -> None:
    found = matches.read(text, "v2")
    assert isinstance(found, Refused)
    assert found.text.startswith(f"{text} takes every request, which is no group; a share of everybody is a canary's.")


@pytest.mark.parametrize(
    "text",
    [
        *("uri^=/beta", "uri^=/a", "uri=~/v2/.*", "uri=~/a", r"authority=~beta\..*", "method=~GET|HEAD"),
        *("header:x-beta=~.*", "header:user-agent=Firefox 9", "uri=/"),
    ],
)
def test_a_match_that_leaves_somebody_out_is_one(text: str) -> None:
    assert isinstance(matches.read(text, "v2"), Match)


@pytest.mark.parametrize("text", ["method=GET", "method=PURGE", "method=purge", "method^=get", "uri=get"])
def test_a_method_is_taken_as_clients_send_it(text: str) -> None:
    assert isinstance(matches.read(text, "v2"), Match)


def test_a_method_in_another_case_is_told_from_the_usual_one() -> None:
    found = matches.read("method=get", "v2")
    assert isinstance(found, Refused)
    assert found.text.startswith("Methods are compared with their case: GET, not get.")
