"""Adopting by command and button: shown to all, done for releasers who confirmed that, journalled."""

from pathlib import Path

import pytest

from bot.adoptions import Adoptions
from bot.errors import Fault
from bot.profiles import Profiles
from bot.requests import Adoptable, AdoptRequest, Said
from bot.slack import answers, buttons, commands
from strategies.reasons import ReasonCode, Refused
from tests.builders import NOW
from tests.fakes import FakeMesh
from tests.mesh_documents import a_deployment, a_service
from tests.unit.bot.house import House
from tests.unit.core.events_of import ALICE, MALLORY


@pytest.fixture
def office(house: House, tmp_path: Path) -> tuple[Adoptions, FakeMesh]:
    """A desk for adoptions, and a service without anything of Istio's."""
    mesh = FakeMesh()
    for document in (a_service(), a_deployment("v1")):
        mesh.put(document)
    (tmp_path / "reviews.yaml").write_text("service: reviews\nnamespace: shop\n", encoding="utf-8")
    return Adoptions(house.database, mesh, Profiles(tmp_path), house.clock), mesh


def confirmed(office: tuple[Adoptions, FakeMesh]) -> AdoptRequest:
    """What the button of a shown adoption asks for."""
    shown = office[0].answer(AdoptRequest("reviews"), MALLORY, "k")
    assert isinstance(shown, Adoptable)
    message = answers.render(shown, "/release")
    action = next(each for each in message.blocks if each["type"] == "actions")["elements"][0]  # type: ignore[index]
    found = buttons.parse(action)
    assert isinstance(found, AdoptRequest)
    return found


def test_showing_changes_nothing_and_a_confirmed_one_is_stored_and_then_done(
    house: House, office: tuple[Adoptions, FakeMesh]
) -> None:
    request = confirmed(office)
    assert office[1].virtual_services() == []
    taken = office[0].answer(request, ALICE, "click")
    assert isinstance(taken, Said)
    assert [entry.event for entry in house.journal("adopt:reviews")] == ["AdoptionRequested"]
    done = office[0].done(request, ALICE, "click")
    assert isinstance(done, Said)
    assert done.text.endswith("To take it back: adopt reviews undo.")
    assert [entry.event for entry in house.journal("adopt:reviews")] == ["AdoptionRequested", "AdoptionDone"]


def test_who_may_not_release_may_not_adopt(office: tuple[Adoptions, FakeMesh]) -> None:
    told = office[0].answer(confirmed(office), MALLORY, "click")
    assert isinstance(told, Refused)
    assert told.reason_code is ReasonCode.NOT_ALLOWED


def test_a_click_counts_once_and_only_for_what_was_shown(office: tuple[Adoptions, FakeMesh]) -> None:
    request = confirmed(office)
    office[0].answer(request, ALICE, "click")
    again = office[0].answer(request, ALICE, "click")
    other = office[0].answer(AdoptRequest("reviews", fingerprint="00000000"), ALICE, "other")
    assert isinstance(again, Refused)
    assert isinstance(other, Refused)
    assert (again.reason_code, other.reason_code) == (ReasonCode.ALREADY_DECIDED, ReasonCode.STALE_REVISION)


def test_what_the_cluster_refused_is_journalled_too(house: House, office: tuple[Adoptions, FakeMesh]) -> None:
    request = confirmed(office)
    office[1].fail_next(Fault("forbidden"), "adopt")
    with pytest.raises(Fault, match="forbidden"):
        office[0].done(request, ALICE, "click")
    assert house.journal("adopt:reviews")[-1].text == "failed: forbidden"


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("adopt reviews", AdoptRequest("reviews")),
        ("adopt reviews v1", AdoptRequest("reviews", "v1")),
        ("adopt reviews undo", AdoptRequest("reviews", is_undo=True)),
    ],
)
def test_the_command_is_read(text: str, request_: AdoptRequest) -> None:
    assert commands.parse(text, NOW, NOW.tzinfo) == request_  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["adopt", "adopt reviews v1 undo", "adopt reviews v1 v2"])
def test_what_cannot_be_meant_is_refused_with_an_example(text: str) -> None:
    told = commands.parse(text, NOW, NOW.tzinfo)  # type: ignore[arg-type]
    assert isinstance(told, Refused)
    assert told.text.endswith("For example: adopt reviews")


@pytest.mark.parametrize(
    "value", ["", "{}", '{"n":"a b","v":"","u":0,"f":"00000000"}', '{"n":"a","v":"","u":2,"f":"x"}']
)
def test_a_damaged_button_asks_for_nothing(value: str) -> None:
    assert isinstance(buttons.parse({"action_id": buttons.ADOPT, "value": value}), Refused)
