"""Which effects replace each other in the outbox, and which lane works them."""

import pytest

from strategies.effects import (
    CallOnCall,
    Effect,
    Lane,
    PostStage,
    Prepare,
    RefreshCard,
    RetireBaseline,
    Say,
    SetCapacity,
    SetRoute,
    Urgency,
)

CHAT = (RefreshCard("r-1"), PostStage("r-1", 0), Say("r-1", "a", "text"), CallOnCall("r-1", "a", "text"))
ASK = (Prepare("r-1"), RetireBaseline("r-1"))
ROUTE = (SetRoute("r-1", "shop/reviews"), SetCapacity("r-1"))


@pytest.mark.parametrize("effect", CHAT)
def test_what_is_said_never_stands_in_the_lane_of_what_is_written(effect: Effect) -> None:
    assert effect.lane is Lane.CHAT


@pytest.mark.parametrize("effect", ROUTE)
def test_what_touches_the_cluster_waits_for_no_chat(effect: Effect) -> None:
    assert effect.lane is Lane.ROUTE


@pytest.mark.parametrize("effect", ASK)
def test_what_asks_neighbours_first_holds_up_no_route(effect: Effect) -> None:
    assert effect.lane is Lane.ASK


def test_no_two_kinds_of_effect_replace_each_other() -> None:
    assert len({effect.subject for effect in (*CHAT, *ASK, *ROUTE)}) == len((*CHAT, *ASK, *ROUTE))


def test_a_rollbacks_write_replaces_a_queued_one_of_the_same_object() -> None:
    forward, back = SetRoute("r-1", "shop/reviews"), SetRoute("r-1", "shop/reviews", Urgency.ROLLBACK)
    assert forward.subject == back.subject
    assert back.urgency < forward.urgency
    assert SetRoute("r-1", "edge/gateway").subject != forward.subject


def test_lines_and_calls_replace_only_themselves() -> None:
    assert Say("r-1", "a", "x").subject != Say("r-1", "b", "x").subject
    assert CallOnCall("r-1", "a", "x").subject != CallOnCall("r-1", "b", "x").subject
