"""Sizes on the stand-in and on a real API server: counted, held and given back, with nothing else changed."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.mesh.documents import canonical
from strategies.plan import Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Release, Rules
from tests.builders import a_stage
from tests.contract.mesh.world import WireWorld, the_release, the_target
from tests.contract.patience import until

AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
QUOTAS = "/api/v1/namespaces/{}/resourcequotas"


def promoting(wire: WireWorld, **changes: Any) -> Release:
    """A release on its way to 100 %, from three pods."""
    sizes = {f"{wire.namespace}/reviews-v1": 3}
    return replace(the_release(wire, phase=Phase.SHIFTING, stage=3, sizes=sizes, rules=Rules(scale=True)), **changes)


def add_autoscaler(wire: WireWorld, version: str, **spec: Any) -> None:
    """An autoscaler of one version, known to the cache."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"reviews-{version}"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
    }
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"reviews-{version}", "namespace": wire.namespace},
        "spec": {"scaleTargetRef": target, "maxReplicas": 6, "metrics": [metric], **spec},
    }
    wire.cluster.create(AUTOSCALERS.format(wire.namespace), body)
    until(lambda: len(wire.mesh._cache.autoscalers(wire.namespace)) > 0)


def autoscaler(wire: WireWorld, version: str) -> dict[str, Any]:
    return wire.cluster.get(f"{AUTOSCALERS.format(wire.namespace)}/reviews-{version}")


def test_a_candidate_is_scaled_up_for_its_share_and_back_after_a_rollback(wire: WireWorld) -> None:
    before = wire.read("Deployment", "reviews-v2")
    text = wire.mesh.capacity(promoting(wire))
    assert text == "v2 has 2 ready pods and needs 3 for its share; it is being scaled up."
    grown = wire.read("Deployment", "reviews-v2")
    expected = copy.deepcopy(before["spec"]) | {"replicas": 3}
    assert canonical(grown["spec"]) == canonical(expected)
    wire.set_ready("v2", 3)
    assert wire.mesh.capacity(promoting(wire)) == ""
    wire.mesh.set_sizes(promoting(wire, phase=Phase.ROLLED_BACK))
    after = wire.read("Deployment", "reviews-v2")
    assert canonical(after["spec"]) == canonical(before["spec"])
    assert after["metadata"].get("annotations") == before["metadata"].get("annotations")


def test_an_autoscaler_is_held_at_the_size_of_the_start_and_given_back_exactly(wire: WireWorld) -> None:
    add_autoscaler(wire, "v1", minReplicas=1)
    before = autoscaler(wire, "v1")
    wire.mesh.set_sizes(promoting(wire))
    held = autoscaler(wire, "v1")
    assert held["spec"] == before["spec"] | {"minReplicas": 3}
    wire.mesh.set_sizes(promoting(wire, phase=Phase.COMPLETED))
    after = autoscaler(wire, "v1")
    assert canonical(after["spec"]) == canonical(before["spec"])
    assert after["metadata"].get("annotations") == before["metadata"].get("annotations")


def test_sizes_that_are_right_cost_no_write(wire: WireWorld) -> None:
    before = len(wire.proxy.writes())
    sizes = {f"{wire.namespace}/reviews-v1": 2}
    wire.mesh.set_sizes(promoting(wire, sizes=sizes))
    assert wire.mesh.capacity(promoting(wire, sizes=sizes)) == ""
    wire.mesh.set_sizes(promoting(wire, sizes=sizes, phase=Phase.COMPLETED))
    assert len(wire.proxy.writes()) == before


def test_a_quota_without_room_is_read_before_anything_starts(wire: WireWorld) -> None:
    wire.set_ready("v2", 1)
    hard = {"pods": "4"}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": hard}}
    path = QUOTAS.format(wire.namespace)
    wire.cluster.create(path, body)
    wire.cluster.patch(f"{path}/team/status", {"status": {"hard": hard, "used": {"pods": "4"}}})
    until(lambda: any("used" in each.get("status", {}) for each in wire.mesh._cache.quotas(wire.namespace)))
    plan = Plan(StrategyName.BLUE_GREEN, (a_stage("100"),))
    refused = wire.mesh.room(the_target(wire), plan, Decimal(100))
    assert isinstance(refused, Refused)
    assert (refused.reason_code, "quota" in refused.text) == (ReasonCode.CAPACITY, True)
