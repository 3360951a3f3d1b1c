"""What every Mesh does: survey, prepare, write, notice drift, put back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.errors import Fault, Transient
from bot.mesh.sizes import CREATED_BY
from bot.ports import Preparation, Written
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused
from strategies.release import Decommission, Drift, Phase, Release, Rules, Target
from strategies.routing import Split
from tests.contract.mesh.world import World, an_order, the_release, the_target
from tests.contract.patience import until
from tests.mesh_documents import a_deployment, a_destination, a_service, a_virtual_service

if TYPE_CHECKING:
    from tests.mesh_documents import Document

FIVE = Split.between("v1", "v2", Decimal(5))
FIFTY = Split.between("v1", "v2", Decimal(50))
DELETE = Rules(decommission=Decommission.DELETE)
ORIGINAL_OF_V3 = '{"match":null,"route":[{"destination":{"host":"reviews","subset":"v3"}}]}'
ALL = Split.between("v1", "v2", Decimal(100))


def name_of(world: World) -> str:
    return f"{world.namespace}/reviews"


def weights(world: World) -> dict[str, int | None]:
    route = world.read("VirtualService")["spec"]["http"][0]["route"]
    return {each["destination"]["subset"]: each.get("weight") for each in route}


def set_weight(document: Document, weight: int) -> None:
    first, second = document["spec"]["http"][0]["route"]
    first["weight"], second["weight"] = weight, 100 - weight


def without_v2(document: Document) -> None:
    document["spec"]["subsets"] = [each for each in document["spec"]["subsets"] if each["name"] != "v2"]


def test_survey_resolves_routes_versions_subsets_and_workloads(world: World) -> None:
    found = world.mesh.survey(SurveyRequest("reviews", world.namespace, "v2"))
    assert found == the_target(world)


def test_survey_suggests_the_nearest_service(world: World) -> None:
    found = world.mesh.survey(SurveyRequest("reveiws", world.namespace, "v2"))
    assert isinstance(found, Refused)
    assert (found.reason_code, "did you mean reviews?" in found.text) == (ReasonCode.UNKNOWN_SERVICE, True)


def test_survey_names_the_versions_that_exist(world: World) -> None:
    found = world.mesh.survey(SurveyRequest("reviews", world.namespace, "v3"))
    assert isinstance(found, Refused)
    assert (found.reason_code, "v1, v2" in found.text) == (ReasonCode.UNKNOWN_VERSION, True)


def test_survey_refuses_the_version_that_serves_already(world: World) -> None:
    found = world.mesh.survey(SurveyRequest("reviews", world.namespace, "v1"))
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.SAME_VERSION


def test_preparing_captures_the_original_fields_and_counts_ready_pods(world: World) -> None:
    prepared = world.mesh.prepare(the_release(world))
    assert isinstance(prepared, Preparation)
    assert prepared.ready == {"v1": 3, "v2": 2}
    assert prepared.originals == {the_target(world).routes[0].key: an_order(world, None).original}


def test_preparing_waits_for_a_ready_pod_of_the_candidate(world: World) -> None:
    world.set_ready("v2", 0)
    refused = world.mesh.prepare(the_release(world))
    assert isinstance(refused, Refused)
    assert refused.reason_code is ReasonCode.NOT_READY


def test_preparing_adds_the_subset_that_is_missing(world: World) -> None:
    world.add(a_deployment("v3", namespace=world.namespace))
    until(lambda: isinstance(world.mesh.survey(SurveyRequest("reviews", world.namespace, "v3")), Target))
    world.set_ready("v3", 1)
    assert isinstance(world.mesh.prepare(the_release(world, "v3")), Preparation)
    subsets = world.read("DestinationRule")["spec"]["subsets"]
    assert [each["name"] for each in subsets] == ["v1", "v2", "v3"]


def test_the_subset_that_was_added_goes_again_after_a_rollback(world: World) -> None:
    before = world.read("DestinationRule")["spec"]
    world.add(a_deployment("v3", namespace=world.namespace))
    world.set_ready("v3", 1)
    release = the_release(world, "v3")
    world.mesh.prepare(release)
    order = replace(an_order(world, Split.between("v1", "v3", Decimal(5))), target=release.target)
    world.mesh.set_route(name_of(world), lambda: [order])
    back = replace(order, split=None, revision=3, force=True)
    world.mesh.tidy([back])
    assert world.read("DestinationRule")["spec"] != before
    world.mesh.set_route(name_of(world), lambda: [back])
    world.mesh.tidy([back])
    assert world.read("DestinationRule")["spec"] == before
    assert "annotations" not in world.read("DestinationRule")["metadata"]


def test_a_split_is_written_and_read_back(world: World) -> None:
    written = world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    assert isinstance(written, Written)
    assert written.changed
    assert weights(world) == {"v1": 95, "v2": 5}
    assert world.read("VirtualService")["metadata"]["annotations"]["sluice/release"] == "reviews-1"


def test_a_repeated_order_writes_nothing(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    again = world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE, revision=3, expected=FIVE)])
    assert isinstance(again, Written)
    assert (again.changed, world.writes()) == (False, 1)


def test_each_change_is_one_write(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIFTY, 3, expected=FIVE)])
    world.mesh.set_route(name_of(world), lambda: [an_order(world, None, 4, expected=FIFTY, force=True)])
    assert world.writes() == 3


def test_a_rollback_leaves_the_spec_as_it_was(world: World) -> None:
    before = world.read("VirtualService")
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    world.mesh.set_route(name_of(world), lambda: [an_order(world, None, 3, expected=FIVE, force=True)])
    after = world.read("VirtualService")
    assert after["spec"] == before["spec"]
    assert after["metadata"].get("annotations") == before["metadata"].get("annotations")


def test_an_edit_beside_our_fields_survives_the_rollback(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    world.edit(lambda document: document["spec"]["http"][0].update(timeout="3s"))
    world.mesh.set_route(name_of(world), lambda: [an_order(world, None, 3, expected=FIVE, force=True)])
    route = world.read("VirtualService")["spec"]["http"][0]
    assert (route["timeout"], route["route"]) == ("3s", [a_destination()])


def test_an_empty_answer_writes_nothing(world: World) -> None:
    written = world.mesh.set_route(name_of(world), list)
    assert isinstance(written, Written)
    assert (written.changed, world.writes()) == (False, 0)


def test_a_hand_edit_of_the_weights_is_drift(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    world.edit(lambda document: set_weight(document, 60))
    order = an_order(world, FIFTY, 3, expected=FIVE)
    drift = world.mesh.set_route(name_of(world), lambda: [order])
    assert isinstance(drift, Drift)
    assert drift.split == Split.between("v1", "v2", Decimal(40))
    assert "Sluice left v1 95 %, v2 5 %; now v1 60 %, v2 40 %" in drift.difference
    assert world.mesh.observe(name_of(world), [order]) == drift


def test_drift_is_overwritten_by_force(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    world.edit(lambda document: set_weight(document, 60))
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE, 3, expected=FIVE, force=True)])
    assert weights(world) == {"v1": 95, "v2": 5}


def test_our_own_write_is_no_drift(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    assert world.mesh.observe(name_of(world), [an_order(world, FIVE, expected=FIVE)]) is None


def test_a_writer_with_an_older_revision_is_fenced(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE, 7)])
    with pytest.raises(Transient, match="revision 7"):
        world.mesh.set_route(name_of(world), lambda: [an_order(world, FIFTY, 3, expected=FIVE)])
    assert weights(world) == {"v1": 95, "v2": 5}


def test_a_rollback_is_late_for_no_revision(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE, 7)])
    world.mesh.set_route(name_of(world), lambda: [an_order(world, None, 3, expected=FIVE, force=True)])
    assert weights(world) == {"v1": None}


def test_a_rollback_of_what_was_never_written_asks_for_no_object(world: World) -> None:
    order = replace(an_order(world, None, force=True), original="")
    found = world.mesh.set_route(f"{world.namespace}/nothing", lambda: [order])
    assert (isinstance(found, Written) and found.changed, world.writes()) == (False, 0)


def test_a_subset_that_somebody_takes_away_is_drift_and_nothing_is_written(world: World) -> None:
    target = replace(the_target(world), subsets={"v1": "v1", "v2": "v9"})
    drift = world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE, target=target)])
    assert isinstance(drift, Drift)
    assert (drift.split, f"DestinationRule {name_of(world)} has no subset v9" in drift.difference) == (None, True)
    assert weights(world) == {"v1": None}


def test_a_subset_taken_away_from_a_live_split_is_seen_and_restored_on_request(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])
    world.edit(without_v2, kind="DestinationRule")
    order = an_order(world, FIVE, 3, expected=FIVE)
    until(lambda: world.mesh.observe(name_of(world), [order]) is not None)
    drift = world.mesh.observe(name_of(world), [order])
    assert drift is not None
    assert drift.object == f"DestinationRule {name_of(world)}"
    assert isinstance(world.mesh.set_route(name_of(world), lambda: [order]), Drift)
    restored = world.mesh.set_route(name_of(world), lambda: [replace(order, force=True)])
    assert isinstance(restored, Written)
    assert [each["name"] for each in world.read("DestinationRule")["spec"]["subsets"]] == ["v1", "v2"]
    assert world.mesh.observe(name_of(world), [order]) is None


def test_an_object_that_is_gone_is_a_fault(world: World) -> None:
    with pytest.raises(Fault, match="VirtualService"):
        world.mesh.set_route(f"{world.namespace}/nothing", lambda: [an_order(world, FIVE)])


def test_a_rollback_of_an_object_that_is_gone_says_so(world: World) -> None:
    found = world.mesh.set_route(f"{world.namespace}/nothing", lambda: [an_order(world, None, force=True)])
    assert found == Written("", changed=False, is_gone=True)
    assert world.writes() == 0


def test_after_promotion_the_next_release_starts_from_the_new_baseline(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, ALL)])
    found = world.mesh.survey(SurveyRequest("reviews", world.namespace, "v1"))
    assert isinstance(found, Target)
    assert (found.baseline, found.candidate) == ("v2", "v1")
    assert isinstance(world.mesh.prepare(the_release(world, targets=(found,), id="reviews-2")), Preparation)


def a_created_baseline(world: World) -> Release:
    """A release from v3, which Sluice deployed and gave a subset to, to v2, which serves everything."""
    document = a_deployment("v3", namespace=world.namespace)
    document["metadata"]["labels"] = {CREATED_BY: "reviews-0"}
    world.add(document)
    until(lambda: isinstance(world.mesh.survey(SurveyRequest("reviews", world.namespace, "v3")), Target))
    world.set_ready("v3", 2)
    world.mesh.prepare(the_release(world, "v3", id="reviews-0"))
    world.edit(lambda each: each["spec"]["subsets"].pop(0), "DestinationRule")
    world.edit(lambda each: each["spec"]["http"][0].update(route=[a_destination("v3", 0), a_destination("v2", 100)]))
    target = replace(the_target(world), baseline="v3", subsets={"v3": "v3", "v2": "v2"}, workloads={"v3": "reviews-v3"})
    release = the_release(world, targets=(target,), originals={target.routes[0].key: ORIGINAL_OF_V3})
    until(lambda: bool(world.mesh.keepsakes(replace(release, rules=DELETE))))
    until(lambda: not world.mesh.baseline(release).in_the_way)
    return release


def test_retiring_with_delete_keeps_what_sluice_did_not_create(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, ALL)])
    before = world.read("VirtualService")["spec"], world.read("DestinationRule")["spec"]
    done = world.mesh.retire(the_release(world, rules=DELETE), lambda: True)
    assert "was scaled to 0 and kept, because Sluice did not create it" in done
    assert world.read("Deployment", "reviews-v1")["spec"]["replicas"] == 0
    assert (world.read("VirtualService")["spec"], world.read("DestinationRule")["spec"]) == before


def test_retiring_what_sluice_created_deletes_it_with_its_subset_and_destination(world: World) -> None:
    release = replace(a_created_baseline(world), rules=DELETE)
    assert "was deleted" in world.mesh.retire(release, lambda: True)
    assert weights(world) == {"v2": 100}
    assert [each["name"] for each in world.read("DestinationRule")["spec"]["subsets"]] == ["v2"]
    assert "reviews-v3" not in {each["metadata"]["name"] for each in world.all("Deployment")}


def test_what_was_deleted_comes_back_before_the_traffic_does(world: World) -> None:
    release = replace(a_created_baseline(world), rules=DELETE)
    deployment, rule = world.read("Deployment", "reviews-v3")["spec"], world.read("DestinationRule")["spec"]
    sizes, kept = world.mesh.baseline(release).sizes, world.mesh.keepsakes(release)
    world.mesh.retire(release, lambda: True)
    back = replace(release, phase=Phase.ROLLING_BACK, is_cold=True, sizes=sizes, kept=kept)
    assert "is scaled up first: " in world.mesh.warm(back)
    world.controllers("reviews-v3")
    until(lambda: not world.mesh.warm(back))
    assert world.read("Deployment", "reviews-v3")["spec"] == deployment
    assert sorted(subset["name"] for subset in world.read("DestinationRule")["spec"]["subsets"]) == sorted(
        subset["name"] for subset in rule["subsets"]
    )


def test_a_route_that_names_the_subset_stands_in_the_way_of_retiring(world: World) -> None:
    world.mesh.set_route(name_of(world), lambda: [an_order(world, ALL)])
    release = the_release(world, rules=Rules(decommission=Decommission.SCALE_TO_ZERO))
    assert world.mesh.baseline(release).in_the_way == ()
    world.add(a_virtual_service(name="ingress", namespace=world.namespace))
    until(lambda: world.mesh.manifest(f"{world.namespace}/ingress") is not None)
    assert 'ingress http[0] "main" names subset v1' in world.mesh.baseline(release).in_the_way[0]


def test_our_own_route_that_sends_to_the_baseline_again_stands_in_the_way(world: World) -> None:
    found = world.mesh.baseline(the_release(world)).in_the_way
    assert found == (f'{world.namespace}/reviews http[0] "main" sends requests to v1 again.',)


def test_a_baseline_that_was_scaled_down_is_scaled_up_before_the_traffic_comes_back(world: World) -> None:
    before = world.read("Deployment", "reviews-v1")["spec"]
    release = the_release(world, rules=Rules(decommission=Decommission.SCALE_TO_ZERO))
    sizes = world.mesh.baseline(release).sizes
    assert world.mesh.retire(release, lambda: True).endswith("was scaled to 0.")
    back = replace(release, phase=Phase.ROLLING_BACK, is_cold=True, sizes=sizes)
    assert "is scaled up first: " in world.mesh.warm(back)
    world.controllers("reviews-v1")
    until(lambda: not world.mesh.warm(back))
    assert world.read("Deployment", "reviews-v1")["spec"] == before


def test_whoever_retires_too_late_changes_nothing(world: World) -> None:
    release = the_release(world, rules=Rules(decommission=Decommission.SCALE_TO_ZERO))
    with pytest.raises(Transient, match="does not retire v1 any more"):
        world.mesh.retire(release, lambda: False)
    back = replace(release, phase=Phase.ROLLING_BACK, is_cold=True, sizes=world.mesh.baseline(release).sizes)

    def stalled() -> bool:
        world.mesh.warm(back)
        return True

    with pytest.raises(Transient, match="at the same moment"):
        world.mesh.retire(release, stalled)
    assert world.read("Deployment", "reviews-v1")["spec"]["replicas"] > 0


def test_a_baseline_with_a_ready_pod_is_warm_and_costs_nothing(world: World) -> None:
    back = replace(the_release(world), phase=Phase.ROLLING_BACK, sizes={f"{world.namespace}/reviews-v1": 3})
    before = world.read("Deployment", "reviews-v1")["metadata"]["resourceVersion"]
    assert world.mesh.warm(back) == ""
    assert world.read("Deployment", "reviews-v1")["metadata"]["resourceVersion"] == before


def test_a_baseline_that_somebody_scaled_to_nothing_is_brought_back_first(world: World) -> None:
    world.set_ready("v1", 0)
    back = replace(the_release(world), phase=Phase.ROLLING_BACK, sizes={f"{world.namespace}/reviews-v1": 5})
    assert world.mesh.warm(back) == "v1 has no ready pod and is scaled up to 5 first."
    assert world.read("Deployment", "reviews-v1")["spec"]["replicas"] == 5


def test_where_the_candidate_has_no_pod_either_nothing_is_waited_for(world: World) -> None:
    world.set_ready("v1", 0)
    world.set_ready("v2", 0)
    back = replace(the_release(world), phase=Phase.ROLLING_BACK, sizes={f"{world.namespace}/reviews-v1": 5})
    assert world.mesh.warm(back) == ""
    assert world.read("Deployment", "reviews-v1")["spec"]["replicas"] == 5


def test_two_routes_to_the_service_are_never_guessed(world: World) -> None:
    world.add(a_virtual_service(name="ingress", namespace=world.namespace))
    until(lambda: world.mesh.manifest(f"{world.namespace}/ingress") is not None)
    found = world.mesh.survey(SurveyRequest("reviews", world.namespace, "v2"))
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.AMBIGUOUS_ROUTE
    assert all(f"{world.namespace}/{each} http[0]" in found.text for each in ("ingress", "reviews"))


def test_a_service_whose_name_starts_alike_is_another_service(world: World) -> None:
    world.add(a_service("reviews-extra", world.namespace))
    extra = {"name": "extra", "route": [a_destination(host="reviews-extra")]}
    world.add(a_virtual_service(extra, name="extra", namespace=world.namespace))
    until(lambda: world.mesh.manifest(f"{world.namespace}/extra") is not None)
    assert world.mesh.survey(SurveyRequest("reviews", world.namespace, "v2")) == the_target(world)
