"""What a click asks for."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.requests import ApproveRequest, DriftRequest, PauseRequest, Request, ResumeRequest, RollbackRequest
from bot.slack.buttons import Place, parse, place_of
from strategies.reasons import ReasonCode, Refused

PLACE = Place("reviews-142", 3, 7)


def click(action: str, **changes: object) -> Request | Refused:
    return parse({"action_id": action, "block_id": PLACE.block_id, "value": PLACE.value()} | changes)


@pytest.mark.parametrize(
    ("action_id", "request_"),
    [
        ("release_approve", ApproveRequest("reviews-142", revision=7)),
        ("release_pause", PauseRequest("reviews-142", revision=7)),
        ("release_resume", ResumeRequest("reviews-142", revision=7)),
        ("release_roll_back", RollbackRequest("reviews-142")),
        ("release_drift_adopt", DriftRequest("reviews-142", "adopt", 7)),
        ("release_drift_restore", DriftRequest("reviews-142", "restore", 7)),
        ("release_drift_stop", DriftRequest("reviews-142", "stop", 7)),
    ],
)
def test_each_button_becomes_its_request(action_id: str, request_: Request) -> None:
    assert click(action_id) == request_


def test_an_approve_whose_confirm_named_the_missing_evidence_says_so() -> None:
    found = click("release_approve", value=PLACE.value(acknowledged=True))
    assert found == ApproveRequest("reviews-142", revision=7, acknowledged=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"value": Place("ratings-1", 3, 7).value()},
        {"value": Place("reviews-142", 3, 8).value()},
        {"value": '{"r":"reviews-142","s":3}'},
        {"value": '{"r":"reviews-142","s":true,"v":7}'},
        {"value": '{"r":"reviews-142","s":3,"v":7,"x":1}'},
        {"value": "not json"},
        {"value": "[" * 5000},
        {"value": None},
        {"block_id": "gate:reviews-142:3"},
        {"block_id": ""},
        {"action_id": "release_delete_everything"},
        {"action_id": None},
    ],
)
def test_a_foreign_or_garbled_click_is_refused(changes: dict[str, object]) -> None:
    found = click("release_approve", **changes)
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.BAD_INPUT


def test_a_block_id_names_its_question_again() -> None:
    assert PLACE.block_id == "gate:reviews-142:3:7"
    assert place_of(PLACE.block_id) == place_of(PLACE.card_id) == PLACE


# The first text drawn builds a table of all characters, which is slow once and says nothing of the code.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["action_id", "block_id", "value", "type"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=60), st.sampled_from([PLACE.value(), PLACE.block_id])),
    )
)
def test_any_payload_is_a_request_or_refused_in_words(action: dict[str, object]) -> None:
    found = parse(action)
    assert bool(found.text) if isinstance(found, Refused) else isinstance(found, Request)
