"""Outside strings made safe, and figures as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.limits import size
from bot.slack.text import (
    clock,
    code,
    code_block,
    escape,
    figure,
    fit,
    link,
    mention,
    named,
    plain_moment,
    shorten,
    span,
)
from bot.slack.words import plain, words

AT = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
# The first text drawn builds a table of all characters, which is slow once and says nothing of the code.
patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@patient
@given(st.text(), st.integers(2, 60))
def test_fitted_text_is_within_its_room_and_holds_no_open_bracket(text: str, most: int) -> None:
    fitted = fit(text, most)
    assert size(fitted) <= most
    assert "<" not in fitted
    assert ">" not in fitted
    fitted.encode()


@patient
@given(st.text(), st.integers(120, 400))
def test_a_code_block_is_within_its_room_and_closed_once(text: str, most: int) -> None:
    block = code_block(text, most)
    assert size(block) <= most
    assert block.count("```") == 2


def test_no_entity_is_torn() -> None:
    assert fit("&&&&", 12) == "&amp;&amp;…"


def test_an_emoji_at_the_edge_is_left_out_whole() -> None:
    assert shorten("ab🟥🟥", 4) == "ab…"


def test_code_cannot_be_left_early() -> None:
    assert code("a`b\nc") == "`a’b c`"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x?y=1&z=2", "<https://a.example/x?y=1&amp;z=2|name>"),
        ("https://a.example/|<b>", "<https://a.example/%7C%3Cb%3E|name>"),
        ("javascript:alert(1)", "name"),
        ("http://[broken", "name"),
        ("", "name"),
    ],
)
def test_only_web_addresses_become_links(url: str, shown: str) -> None:
    assert link(url, "name") == shown


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [("U1", "<@U1>"), ("S2", "<!subteam^S2>"), ("token:ci", "token:ci"), ("<!here>", "&lt;!here&gt;")],
)
def test_only_people_and_groups_are_mentioned(identifier: str, shown: str) -> None:
    assert mention(identifier) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0021, "ratio", "0.21 %"),
        (0.0, "ratio", "0 %"),
        (0.25, "ratio", "25 %"),
        (123.4, "ms", "123 ms"),
        (12_500.0, "ms", "12.5 s"),
        (1204.0, "requests", "1,204"),
        (0.256, "cores", "0.26 cores"),
        (12_345_678.0, "bytes", "11.8 MiB"),
        (12.5, "EUR", "12.5 EUR"),
        (3.0, "1", "3"),
        (None, "ms", "no data"),
    ],
)
def test_figures_read_as_people_write_them(value: float | None, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (45, "45 s"), (600, "10 min"), (5400, "1 h 30 min"), (172800, "2 d"), (-5, "0 s")],
)
def test_lengths_read_as_people_write_them(seconds: int, shown: str) -> None:
    assert span(timedelta(seconds=seconds)) == shown


def test_times_are_shown_in_the_readers_zone_with_utc_behind() -> None:
    assert clock(AT) == "<!date^1795300200^{time}|22:30 UTC>"
    assert plain_moment(AT, AT) == "22:30 UTC"
    assert plain_moment(AT, AT - timedelta(days=2)) == "21 Nov 22:30 UTC"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a\u00a0b", "a b"),
        ("“x” ‘y’", "\"x\" 'y'"),
        ("&lt;a&gt; &amp;amp;", "<a> &amp;"),
        ("<@U1|bob> <@U2> <#C1|general> <!here> <!subteam^S1|@ops> <!subteam^S2>", "@bob @U2 #general @here @ops @S2"),
        ("<https://x.example/a|x.example/a> <mailto:a@b.c|a@b.c> <http://reviews>", "x.example/a a@b.c reviews"),
        ("a\u200bb\x00", "ab"),
    ],
)
def test_slack_markup_becomes_words(typed: str, meant: str) -> None:
    assert plain(typed) == meant


def test_quotes_and_lists_keep_words_together() -> None:
    assert words('start reviews v2 at="tomorrow 02:00" steps=5, 25,100') == [
        "start",
        "reviews",
        "v2",
        "at=tomorrow 02:00",
        "steps=5,25,100",
    ]


def test_escaping_is_complete() -> None:
    assert escape("<!channel> & co") == "&lt;!channel&gt; &amp; co"


def test_ids_in_a_sentence_become_mentions_and_words_stay_words() -> None:
    said = named("Only approvers may approve: S0APPROVE, U02AB3CD. STATEFUL v2 U1 stays &lt;as&gt; it is.")
    assert said == (
        "Only approvers may approve: <!subteam^S0APPROVE>, <@U02AB3CD>. STATEFUL v2 U1 stays &lt;as&gt; it is."
    )
