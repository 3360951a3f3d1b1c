"""Templates: structure, and values that stand for themselves wherever they stand."""

from datetime import timedelta
from typing import Any

import promql_parser as promql
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from bot import templates

LOOK = timedelta(seconds=15)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="`\x00"), min_size=1, max_size=12)


def fill(text: str, version: str = "v2", service: str = "reviews", look: timedelta = LOOK) -> str:
    templates.check(text)
    return templates.filled(text, templates.values(service, version, "shop", look))


def test_every_place_is_filled() -> None:
    text = 'sum(rate(x{s="{{service}}",v="{{ version }}",n=~"{{namespace}}"}[{{look}}]))'
    assert fill(text) == 'sum(rate(x{s="reviews",v="v2",n=~"shop"}[15s]))'
    assert fill('x{v="{{version}}"} > avg_over_time(y[{{look}}])', look=timedelta(seconds=1.5)).endswith("[1500ms])")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('x{v="{{version}}"}', 'x{v="1.2.3"}'),
        ('x{v=~"{{version}}"}', 'x{v=~"1\\\\.2\\\\.3"}'),
        ("x{v=~'{{version}}-.*'}", "x{v=~'1\\\\.2\\\\.3-.*'}"),
        ("x{v!~`{{version}}`}", "x{v!~`1[.]2[.]3`}"),
    ],
)
def test_a_value_in_a_regular_expression_matches_itself_alone(text: str, written: str) -> None:
    assert fill(text, version="1.2.3") == written
    assert promql.parse(written) is not None


@given(WORDS)
def test_whatever_a_value_is_called_it_stays_inside_its_string(value: str) -> None:
    for quote in "\"'":
        query: Any = promql.parse(fill(f"x{{a={quote}{{{{version}}}}{quote},b=~{quote}{{{{version}}}}{quote}}}", value))
        exact, pattern = (matcher.value for matcher in query.matchers.matchers)
        assert exact == value
        assert re2.fullmatch(pattern, value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("x" * 2001, "has 2,001 characters; at most 2,000"),
        ('sum(x{v="{{version}}"}', "has a ( that is not closed"),
        ('x{v="{{version}}"}) or (y', "has a ) that closes nothing"),
        ('x{v="{{version}}"]', "has a ] that closes nothing"),
        ('x{v="{{version}}', "has a string that begins with '\"{{version}}' and does not end"),
        ("orders_{{version}}_total", "has {{version}} outside of quotes; write it inside"),
        ('x{v="{{versions}}"}', "has {{versions}}, which stands for nothing; did you mean {{version}}?"),
        ('x{v="{{}}"}', "has {{}}, which stands for nothing; known are {{service}}, {{version}}"),
        ("sum(x[{{look}}])", "names no {{version}}"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        templates.check(text)
    assert said in str(caught.value)


def test_a_comment_is_left_out_and_a_sign_inside_of_a_string_is_no_structure() -> None:
    assert fill('x{v="{{version}}",t="#)"} # ( not closed\n + y') == 'x{v="v2",t="#)"} \n + y'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('sum by (version) (rate(orders_total{version="{{version}}",code=~"2.."}[{{look}}]))', ("orders_total",)),
        ('a{v="{{version}}"} / on (pod, job) group_left (node) b offset 5m > bool 2', ("a", "b")),
        ('topk(3, job:orders:rate5m{v="{{version}}"}) or vector(0)', ("job:orders:rate5m",)),
        ('label_replace(up{v="{{version}}"}, "a", "$1", "b", "(c)") unless SUM(down) without (x)', ("up", "down")),
        ('{__name__="{{version}}"} * 1e3', ()),
    ],
)
def test_the_metrics_of_a_query_are_those_that_are_written_out(text: str, names: tuple[str, ...]) -> None:
    assert templates.metrics(text) == names
