"""What an effect finds that was decided earlier: the world has moved on, and the release hears of it."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from bot.ports import RouteOrder, Written
from strategies.effects import Prepare, RetireBaseline, SetRoute, Urgency
from strategies.events import RollbackRequested
from strategies.release import Decommission, Drift, Phase, Rules
from tests.mesh_documents import a_virtual_service
from tests.unit.bot.house import House
from tests.unit.bot.test_duties import Crew, retiring
from tests.unit.core.events_of import CAROL


def test_a_route_that_names_the_baseline_after_its_proof_keeps_it(house: House) -> None:
    crew = Crew(house)
    release = retiring(house, crew, Rules(decommission=Decommission.SCALE_TO_ZERO))
    crew.do(RetireBaseline(release.id))
    crew.mesh.put(a_virtual_service(name="ingress"))
    house.clock.tick(minutes=10)
    crew.do(RetireBaseline(release.id))
    stored = house.stored(release.id)
    assert (crew.mesh.ready_pods(release.target) or {})["v1"] == 3
    assert (stored.phase, stored.is_retiring) == (Phase.DECOMMISSIONING, False)
    assert 'ingress http[0] "main" names subset v1' in stored.note
    assert stored.wake_at == house.clock.now() + timedelta(minutes=1)  # a tenth of the wait


def test_a_baseline_that_is_called_again_during_a_standstill_keeps_its_pods(house: House) -> None:
    crew = Crew(house)
    release = retiring(house, crew, Rules(decommission=Decommission.SCALE_TO_ZERO))
    crew.do(RetireBaseline(release.id))
    assert house.stored(release.id).is_retiring
    house.clock.tick(minutes=10)
    crew.metrics.idle["v1"] = (False, "v1 is still called by cart in shop.")
    crew.do(RetireBaseline(release.id))
    stored = house.stored(release.id)
    assert (crew.mesh.ready_pods(release.target) or {})["v1"] == 3
    assert (stored.is_retiring, stored.note) == (False, "v1 is still called by cart in shop.")


def test_a_proof_from_before_a_standstill_is_given_anew_and_then_acted_on(house: House) -> None:
    crew = Crew(house)
    release = retiring(house, crew, Rules(decommission=Decommission.SCALE_TO_ZERO))
    crew.do(RetireBaseline(release.id))
    house.clock.tick(minutes=10)
    crew.do(RetireBaseline(release.id))
    assert house.stored(release.id).phase is Phase.DECOMMISSIONING
    crew.do(RetireBaseline(release.id))
    assert house.stored(release.id).phase is Phase.COMPLETED


def test_a_rollback_of_a_deleted_object_is_asked_again_for_what_is_left_and_ends(house: House) -> None:
    crew = Crew(house)
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, "shop/reviews"))
    crew.mesh.delete("VirtualService", "shop/reviews")
    house.decide(RollbackRequested(release.id, "back", CAROL))
    write = SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK)
    crew.do(write)
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
    crew.do(write)


def test_what_changes_while_a_write_is_under_way_is_what_it_writes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew(house)
    before = crew.mesh.manifest("shop/reviews")
    release = house.begin()
    crew.do(Prepare(release.id))
    write = crew.mesh.set_route

    def late(name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        house.decide(RollbackRequested(release.id, "back", CAROL))
        return write(name, orders)

    monkeypatch.setattr(crew.mesh, "set_route", late)
    crew.do(SetRoute(release.id, "shop/reviews"))
    assert crew.mesh.manifest("shop/reviews") == before
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
