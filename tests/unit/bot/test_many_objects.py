"""A release of several routes and VirtualServices: written together, paused by an edit of any, taken back together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import Fault, Transient
from bot.looks import Looks
from bot.mesh.documents import Document
from bot.mesh.marks import marks
from strategies.effects import Lane, Prepare, SetRoute, Urgency
from strategies.events import DriftChoice, DriftResolved, EffectFailed, RollbackRequested
from strategies.release import Phase, Release
from strategies.routing import Protocol, Route
from strategies.verdicts import Arm, Outcome
from tests.builders import a_reading, a_target
from tests.mesh_documents import a_destination, a_rule, a_subset, a_virtual_service
from tests.unit.bot.house import House, request
from tests.unit.bot.test_duties import Crew
from tests.unit.core.events_of import BOB, CAROL

MESH, GATEWAY = "shop/reviews", "shop/reviews-gateway"
ROUTES = (
    Route("shop", "reviews", Protocol.HTTP, "main"),
    Route("shop", "reviews", Protocol.HTTP, "api"),
    Route("shop", "reviews", Protocol.TCP, "#0"),
    Route("shop", "reviews-gateway", Protocol.HTTP, "main"),
)


@pytest.fixture
def crew(house: House) -> Crew:
    """A crew whose mesh has two http routes and one of connections inside, and a gateway."""
    crew = Crew(house)
    api = {"name": "api", "match": [{"uri": {"prefix": "/api"}}], "route": [a_destination("v1", 100)]}
    main = {"name": "main", "route": [a_destination()]}
    crew.mesh.put(a_virtual_service(api, main, tcp=[{"match": [{"port": 9000}], "route": [a_destination()]}]))
    crew.mesh.put(a_virtual_service(name="reviews-gateway"))
    return crew


def begun(house: House, crew: Crew) -> Release:
    """A release of all four routes that has asked for its first split."""
    release = house.decide(replace(request(), targets=(a_target(routes=ROUTES),)))
    crew.do(Prepare(release.id))
    return house.stored(release.id)


def written(house: House, crew: Crew) -> Release:
    """The same, with its first split read back everywhere."""
    release = begun(house, crew)
    for name in release.objects:
        crew.do(SetRoute(release.id, name))
    return house.stored(release.id)


def spec(crew: Crew, name: str) -> Document:
    document = crew.mesh.virtual_service(name)
    assert document is not None
    found: Document = document["spec"]
    return found


def weights(crew: Crew) -> list[list[int | None]]:
    entries = [*spec(crew, MESH)["http"], *spec(crew, MESH)["tcp"], *spec(crew, GATEWAY)["http"]]
    return [[each.get("weight") for each in entry["route"]] for entry in entries]


def by_hand(document: Document) -> None:
    for destination, weight in zip(document["spec"]["http"][0]["route"], (60, 40), strict=True):
        destination["weight"] = weight


def test_every_route_gets_the_split_with_one_write_per_object(house: House, crew: Crew) -> None:
    release = written(house, crew)
    assert weights(crew) == [[95, 5]] * 4
    assert crew.mesh.writes == [MESH, GATEWAY]
    assert release.is_confirmed


def test_where_other_routes_stay_the_share_of_all_requests_is_no_contradiction(house: House, crew: Crew) -> None:
    asked = replace(request(), targets=(a_target(elsewhere=("shop/reviews http[0]",)),))
    release = house.decide(asked)
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, MESH))
    crew.metrics.script(release.id, [a_reading(baseline=Arm(990.0, 0.0), candidate=Arm(10.0, 0.0))])
    for _ in range(3):
        house.clock.tick(seconds=15)
        Looks(house.engine, crew.metrics, crew.mesh, house.clock).take(release.rules.look)
    verdict = next(each for each in house.stored(release.id).verdicts if each.gate == "split")
    assert verdict.outcome is Outcome.PASS
    assert "1.0 % of" in verdict.reason
    assert "some routes to it stay as they are" in verdict.reason


def test_a_stage_is_confirmed_when_the_last_object_is(house: House, crew: Crew) -> None:
    release = begun(house, crew)
    crew.do(SetRoute(release.id, MESH))
    assert not house.stored(release.id).is_confirmed
    crew.do(SetRoute(release.id, GATEWAY))
    assert house.stored(release.id).is_confirmed


def test_a_rollback_puts_every_object_back_and_ends_with_the_last(house: House, crew: Crew) -> None:
    before = {name: spec(crew, name) for name in (MESH, GATEWAY)}
    release = written(house, crew)
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.do(SetRoute(release.id, GATEWAY, Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLING_BACK
    crew.do(SetRoute(release.id, MESH, Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
    assert {name: spec(crew, name) for name in before} == before


def test_an_object_that_cannot_be_written_stops_all_and_a_rollback_takes_all_back(house: House, crew: Crew) -> None:
    before = {name: spec(crew, name) for name in (MESH, GATEWAY)}
    release = begun(house, crew)
    crew.do(SetRoute(release.id, MESH))
    crew.mesh.fail_next(Fault("refused by policy"))
    with pytest.raises(Fault):
        crew.do(SetRoute(release.id, GATEWAY))
    house.decide(EffectFailed(release.id, "failed:1", "SetRoute", "refused by policy"))
    assert house.stored(release.id).phase is Phase.STUCK
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    for name in release.objects:
        crew.do(SetRoute(release.id, name, Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
    assert {name: spec(crew, name) for name in before} == before


def test_a_rollback_of_one_object_waits_for_no_other(house: House, crew: Crew) -> None:
    release = written(house, crew)
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    with house.database.transaction() as tx:
        claimed = tx.outbox.claim(Lane.ROUTE, "w1", house.clock.now(), timedelta(seconds=9), 10)
    assert {job.effect.object for job in claimed if isinstance(job.effect, SetRoute)} == {MESH, GATEWAY}


@pytest.mark.parametrize("name", [MESH, GATEWAY])
def test_an_edit_of_any_object_pauses_the_release(house: House, crew: Crew, name: str) -> None:
    release = begun(house, crew)
    crew.do(SetRoute(release.id, MESH))
    if name == MESH:
        crew.mesh.edit("VirtualService", name, by_hand)
    crew.do(SetRoute(release.id, GATEWAY))
    if name == GATEWAY:
        crew.mesh.edit("VirtualService", name, by_hand)
        crew.do(SetRoute(release.id, GATEWAY))
    stored = house.stored(release.id)
    assert stored.phase is Phase.PAUSED
    assert stored.drift is not None
    assert stored.drift.object == name


def test_an_adopted_edit_becomes_the_split_of_every_object(house: House, crew: Crew) -> None:
    release = written(house, crew)
    crew.mesh.edit("VirtualService", MESH, by_hand)
    crew.do(SetRoute(release.id, MESH))
    house.decide(DriftResolved(release.id, "adopt", BOB, DriftChoice.ADOPT))
    for name in release.objects:
        crew.do(SetRoute(release.id, name))
    stored = house.stored(release.id)
    assert (stored.phase, stored.drift, stored.replaced) == (Phase.SHIFTING, None, ())
    assert weights(crew) == [[60, 40]] * 4


def test_after_an_adoption_a_further_edit_is_still_one(house: House, crew: Crew) -> None:
    release = written(house, crew)
    crew.mesh.edit("VirtualService", MESH, by_hand)
    crew.do(SetRoute(release.id, MESH))
    house.decide(DriftResolved(release.id, "adopt", BOB, DriftChoice.ADOPT))
    crew.mesh.edit(
        "VirtualService", GATEWAY, lambda document: document["spec"]["http"][0].update(route=[a_destination()])
    )
    crew.do(SetRoute(release.id, GATEWAY))
    drift = house.stored(release.id).drift
    assert drift is not None
    assert (drift.object, "now v1 100 %" in drift.difference) == (GATEWAY, True)


def test_an_object_that_is_down_is_tried_again_alone(house: House, crew: Crew) -> None:
    release = written(house, crew)
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.mesh.fail_next(Transient("busy"))
    with pytest.raises(Transient):
        crew.do(SetRoute(release.id, MESH, Urgency.ROLLBACK))
    crew.do(SetRoute(release.id, GATEWAY, Urgency.ROLLBACK))
    assert weights(crew) == [*[[95, 5]] * 3, [None]]


def test_what_was_added_beside_the_routes_goes_with_the_last_of_them_also_when_a_try_fails(
    house: House, crew: Crew
) -> None:
    crew.mesh.put(a_rule(a_subset("v1")))
    release = written(house, crew)
    assert subsets(crew) == ["v1", "v2"]
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.do(SetRoute(release.id, MESH, Urgency.ROLLBACK))
    assert subsets(crew) == ["v1", "v2"]
    crew.mesh.fail_next(Transient("proxies forget the route"), "tidy")
    with pytest.raises(Transient):
        crew.do(SetRoute(release.id, GATEWAY, Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
    crew.do(SetRoute(release.id, GATEWAY, Urgency.ROLLBACK))
    assert subsets(crew) == ["v1"]


def subsets(crew: Crew) -> list[str]:
    (rule,) = crew.mesh.destination_rules()
    return [each["name"] for each in rule["spec"]["subsets"]]


def test_two_releases_of_one_service_on_routes_of_one_object_leave_each_other_alone(house: House, crew: Crew) -> None:
    first, second = (begun_on(house, crew, key, route) for key, route in (("a", ROUTES[0]), ("b", ROUTES[1])))
    for release in (first, second):
        crew.do(SetRoute(release.id, MESH))
    assert weights(crew)[:2] == [[95, 5], [95, 5]]
    house.decide(RollbackRequested(first.id, "rb", CAROL))
    crew.do(SetRoute(first.id, MESH, Urgency.ROLLBACK))
    document = crew.mesh.virtual_service(MESH)
    assert document is not None
    assert marks(document) == {second.id: house.stored(second.id).revision}
    assert (house.stored(first.id).phase, house.stored(second.id).drift) == (Phase.ROLLED_BACK, None)
    assert weights(crew)[:2] == [[95, 5], [None]]


def begun_on(house: House, crew: Crew, key: str, route: Route) -> Release:
    release = house.decide(replace(request(), key=key, targets=(a_target(routes=(route,)),)))
    crew.do(Prepare(release.id))
    return release
