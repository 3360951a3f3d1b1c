"""SlackChat against a Slack that refuses, limits, loses answers and goes away."""

from dataclasses import replace

import pytest

from bot.errors import Fault, Transient
from bot.ports import Card, Line, Picture
from bot.sandbox.slack import Channel, FaultKind, Settings, SlackStandIn, SlackThread
from bot.sandbox.slack import Fault as Bad
from bot.slack.outgoing import SlackChat
from bot.slack.web import connect
from strategies.effects import Audience
from strategies.release import Actor, Phase
from tests.contract.chat.conftest import CHANNEL, Holders, SlackRig
from tests.contract.patience import until
from tests.unit.slack.releases import a_card, a_look, asking, every_release, in_phase


@pytest.fixture
def rig(slack: SlackThread) -> SlackRig:
    return SlackRig(slack)


def card(**changes: object) -> Card:
    return a_card(asking(channel=CHANNEL), a_look(), **changes)


def spoil(rig: SlackRig, **fault: object) -> None:
    rig.slack.read(lambda: rig.slack.stand_in.faults.add(Bad(**fault)))  # type: ignore[arg-type]


def test_slack_takes_every_card_of_every_phase(rig: SlackRig) -> None:
    for release in every_release():
        shown = a_card(replace(release, channel=CHANNEL), a_look())
        root = rig.chat.show_root(shown, None)
        if release.stage >= 0:
            assert rig.chat.show_stage(replace(shown, root=root), release.stage, None, None).ts
        assert root.ts


def test_a_rate_limit_says_when_to_come_back(rig: SlackRig) -> None:
    spoil(rig, kind=FaultKind.RATE_LIMIT, methods=frozenset({"chat.postMessage"}), seconds=7, times=1)
    with pytest.raises(Transient) as caught:
        rig.chat.show_root(card(), None)
    assert caught.value.retry_after == 7
    assert "rate" in rig.chat.troubles()[0]


@pytest.mark.parametrize("kind", [FaultKind.ABORT, FaultKind.STATUS])
def test_a_slack_that_breaks_is_transient(rig: SlackRig, kind: FaultKind) -> None:
    spoil(rig, kind=kind, times=1)
    with pytest.raises(Transient):
        rig.chat.show_root(card(), None)


def test_a_slack_that_is_away_is_transient_and_then_well_again(rig: SlackRig) -> None:
    rig.slack.run(rig.slack.stand_in.refuse_connections())
    with pytest.raises(Transient):
        rig.chat.show_root(card(), None)
    rig.slack.run(rig.slack.stand_in.accept_connections())
    rig.chat.show_root(card(), None)
    assert rig.chat.troubles() == ()


def test_a_lost_answer_is_not_repeated_behind_our_back(rig: SlackRig) -> None:
    spoil(rig, kind=FaultKind.LOSE_REPLY, methods=frozenset({"chat.postMessage"}), times=1)
    with pytest.raises(Transient):
        rig.chat.show_root(card(), None)
    assert len(rig.seen()) == 1


@pytest.mark.parametrize("error", ["message_not_found", "edit_window_closed", "is_inactive", "cant_update_message"])
def test_a_message_closed_for_edits_is_posted_anew(rig: SlackRig, error: str) -> None:
    first = rig.chat.show_root(a_card(in_phase(Phase.OBSERVING, channel=CHANNEL)), None)
    spoil(rig, kind=FaultKind.API_ERROR, methods=frozenset({"chat.update"}), error=error, times=1)
    assert rig.chat.show_root(card(), first).ts != first.ts


def test_a_missing_permalink_costs_nothing_and_is_asked_for_again(rig: SlackRig) -> None:
    spoil(rig, kind=FaultKind.STATUS, methods=frozenset({"chat.getPermalink"}), times=1)
    first = rig.chat.show_root(card(), rig.chat.show_root(card(), None))
    assert first.permalink == ""
    assert rig.chat.show_root(card(), first).permalink.startswith("http")


@pytest.mark.parametrize("error", ["unknown_method", "missing_scope", "storage_limit_reached"])
def test_a_refused_picture_leaves_the_table_and_no_trouble(rig: SlackRig, error: str) -> None:
    root = rig.chat.show_root(card(), None)
    spoil(rig, kind=FaultKind.API_ERROR, methods=frozenset({"files.getUploadURLExternal"}), error=error)
    stage = rig.chat.show_stage(card(root=root), 1, Picture(b"\x89PNG", "5xx 2 %: fail"), None)
    assert stage.ts in [seen.ts for seen in rig.seen()]
    assert rig.chat.troubles() == ()


def test_a_picture_that_cannot_be_uploaded_never_fails_the_message(rig: SlackRig) -> None:
    root = rig.chat.show_root(card(), None)
    spoil(rig, kind=FaultKind.STATUS, methods=frozenset({"upload"}))
    assert rig.chat.show_stage(card(root=root), 1, Picture(b"\x89PNG", "5xx 2 %: fail"), None).ts


def test_a_picture_tells_its_verdict_in_words(rig: SlackRig) -> None:
    root = rig.chat.show_root(card(), None)
    rig.chat.show_stage(card(root=root), 1, Picture(b"\x89PNG\r\n\x1a\n", "5xx 2 %: fail"), None)
    until(lambda: any(seen.has_picture for seen in rig.seen()))
    messages = rig.slack.read(lambda: rig.slack.stand_in.messages("alice"))
    (file,) = next(m["files"] for m in messages if m["files"])
    assert "5xx 2 %: fail" in file["alt_txt"]


def test_on_call_and_the_requester_are_mentioned_only_where_asked(rig: SlackRig) -> None:
    root = rig.chat.show_root(card(), rig.chat.show_root(card(), None))
    rig.chat.say(card(root=root), Line("quiet <@U0BOB>"))
    rig.chat.say(card(root=root), Line("loud", Audience.REQUESTER_AND_ON_CALL))
    rig.chat.say(card(root=root), Line("asked", Audience.APPROVERS))
    rig.chat.call(card(root=root), "stuck")
    texts = [seen.text for seen in rig.seen()][1:]
    assert texts[0] == "quiet &lt;@U0BOB&gt;"
    assert texts[1:3] == ["<@U1> <@U0CAROL> loud", "<!subteam^S0APPROVE> asked"]
    assert texts[3].startswith("🔴 <@U0CAROL> stuck <http")


def test_a_channel_without_the_bot_says_how_to_invite_it() -> None:
    private = Channel("C0PRIVATE", "private", bot_is_member=False, is_private=True)
    with SlackThread(SlackStandIn(Settings(rate_limits=False), channels=(private,))) as thread:
        chat = SlackChat(
            connect(thread.stand_in.settings.bot_token, thread.stand_in.api_url), Holders(), command="/release"
        )
        with pytest.raises(Fault, match="/invite @sluice"):
            chat.show_root(a_card(asking(channel="C0PRIVATE")), None)


def test_a_release_without_a_channel_says_where_to_name_one(rig: SlackRig) -> None:
    with pytest.raises(Fault, match="SLUICE_SLACK_CHANNEL"):
        rig.chat.show_root(a_card(asking(channel="")), None)


def test_a_wrong_token_is_a_fault_that_names_the_setting(rig: SlackRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    chat = SlackChat(connect("xoxb-wrong-token", rig.slack.stand_in.api_url), Holders(), command="/release")
    with pytest.raises(Fault, match="SLUICE_SLACK_BOT_TOKEN"):
        chat.show_root(card(), None)
    assert "xoxb-wrong-token" not in caplog.text


def test_approvers_by_role_are_asked_where_the_profile_names_none(rig: SlackRig) -> None:
    root = rig.chat.show_root(card(), None)
    shown = rig.chat.show_stage(card(root=root), 1, None, None)
    messages = rig.slack.read(lambda: rig.slack.stand_in.messages("alice"))
    assert "<!subteam^S0APPROVE>" in str(next(m["blocks"] for m in messages if m["ts"] == shown.ts))


def test_people_are_reached_directly_when_the_channel_is_not(rig: SlackRig) -> None:
    archived = Channel(CHANNEL, "releases", is_archived=True)
    rig.slack.read(lambda: rig.slack.stand_in.state.channels.update({CHANNEL: archived}))
    asked = card()
    shown = replace(asked, release=replace(asked.release, requester=Actor("U0ALICE", "alice")))
    with pytest.raises(Fault):
        rig.chat.show_root(shown, None)
    rig.chat.tell(shown, "reviews-1 cannot speak in its channel.", Audience.REQUESTER)
    direct = rig.slack.read(lambda: rig.slack.stand_in.messages("alice", "D0ALICE"))
    assert [each["text"] for each in direct] == ["reviews-1 cannot speak in its channel."]
    assert "archived" in rig.chat.troubles()[0]
