"""What the worker relies on, of Slack's adapter and of the fake alike."""

from dataclasses import replace

import pytest

from bot.errors import Transient
from bot.ports import Card, Line, Picture
from strategies.effects import Audience
from strategies.release import Phase, Release
from tests.contract.chat.conftest import CHANNEL, Rig
from tests.contract.patience import until
from tests.unit.slack.releases import a_card, a_look, asking, in_phase

PICTURE = Picture(b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "5xx 2 %: fail")


def card_of(release: Release, **changes: object) -> Card:
    return a_card(replace(release, channel=CHANNEL), a_look(), **changes)


def rooted(rig: Rig, release: Release) -> Card:
    card = card_of(release)
    return card_of(release, root=rig.chat.show_root(card, None))


def test_a_root_message_is_posted_once_and_then_brought_up_to_date(rig: Rig) -> None:
    first = rig.chat.show_root(card_of(in_phase(Phase.OBSERVING)), None)
    again = rig.chat.show_root(card_of(asking()), first)
    (seen,) = rig.seen()
    assert again.ts == first.ts == seen.ts
    assert again.permalink
    assert seen.text.startswith("🟡 reviews v2 · canary 25 % · 50 % needs approval")
    assert seen.buttons == ("release_approve", "release_pause", "release_roll_back")


def test_a_message_that_looks_the_same_is_not_sent_again(rig: Rig) -> None:
    first = rig.chat.show_root(card_of(asking()), rig.chat.show_root(card_of(asking()), None))
    before = rig.requests()
    assert rig.chat.show_root(card_of(asking()), first) == first
    assert rig.requests() == before


def test_a_root_message_that_somebody_deleted_is_posted_anew(rig: Rig) -> None:
    first = rig.chat.show_root(card_of(in_phase(Phase.OBSERVING)), None)
    rig.delete(first.ts)
    again = rig.chat.show_root(card_of(asking()), first)
    assert again.ts != first.ts
    assert [seen.ts for seen in rig.seen()] == [again.ts]


def test_a_stage_message_stands_in_the_thread_with_its_picture(rig: Rig) -> None:
    card = rooted(rig, asking())
    shown = rig.chat.show_stage(card, 1, PICTURE, None)
    assert card.root is not None
    until(lambda: len(rig.seen()) == 3)
    _, stage, picture = rig.seen()
    assert (stage.ts, stage.thread_ts) == (shown.ts, card.root.ts)
    assert stage.buttons == ("release_approve", "release_pause", "release_roll_back")
    assert picture.has_picture
    assert picture.thread_ts == card.root.ts


def test_a_decided_stage_loses_its_buttons_in_place(rig: Rig) -> None:
    shown = rig.chat.show_stage(rooted(rig, asking()), 1, None, None)
    card = rooted(rig, in_phase(Phase.ROLLED_BACK))
    assert rig.chat.show_stage(card, 1, None, shown).ts == shown.ts
    stage = next(seen for seen in rig.seen() if seen.ts == shown.ts)
    assert stage.buttons == ()
    assert "rolled back to v1" in stage.text


def test_a_line_goes_into_the_thread_and_a_loud_one_into_the_channel_too(rig: Rig) -> None:
    card = rooted(rig, asking())
    quiet = rig.chat.say(card, Line("v2 takes 50 %"))
    loud = rig.chat.say(card, Line("Back", Audience.ON_CALL, is_broadcast=True))
    by_ts = {seen.ts: seen for seen in rig.seen()}
    assert card.root is not None
    assert by_ts[quiet.ts].thread_ts == by_ts[loud.ts].thread_ts == card.root.ts
    assert (by_ts[quiet.ts].is_broadcast, by_ts[loud.ts].is_broadcast) == (False, True)


def test_a_call_is_a_message_of_its_own(rig: Rig) -> None:
    card = rooted(rig, in_phase(Phase.STUCK))
    called = rig.chat.call(card, "reviews-1 is stuck")
    seen = next(seen for seen in rig.seen() if seen.ts == called.ts)
    assert seen.thread_ts == ""
    assert "reviews-1 is stuck" in seen.text


def test_a_thread_without_its_root_waits(rig: Rig) -> None:
    with pytest.raises(Transient, match="no root message"):
        rig.chat.say(card_of(asking()), Line("too early"))


def test_a_neighbour_that_is_down_is_transient_and_nothing_is_lost(rig: Rig) -> None:
    rig.fail_next()
    with pytest.raises(Transient):
        rig.chat.show_root(card_of(asking()), None)
    rig.chat.show_root(card_of(asking()), None)
    assert len(rig.seen()) == 1
    assert rig.chat.troubles() == ()
