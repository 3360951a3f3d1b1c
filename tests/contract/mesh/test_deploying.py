"""A candidate that an image names, on the stand-in and on a real API server, which checks every object it is given."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.mesh.documents import canonical
from bot.ports import Preparation
from bot.surveys import SurveyRequest
from strategies.reasons import Refused
from strategies.release import Decommission, Phase, Release, Rules, Target
from tests.contract.mesh.test_sizes import AUTOSCALERS, add_autoscaler
from tests.contract.mesh.world import the_release, the_target
from tests.contract.patience import until

if TYPE_CHECKING:
    from tests.contract.mesh.world import WireWorld

BUDGETS = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets"
PATHS_OF = {
    "HorizontalPodAutoscaler": AUTOSCALERS,
    "PodDisruptionBudget": BUDGETS,
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
}
EVENTS = "/api/v1/namespaces/{}/events"
IMAGE = "registry.example.com/shop/reviews:v3"


def preparing(wire: WireWorld) -> Release:
    target = wire.mesh.survey(
        SurveyRequest("reviews", wire.namespace, "v3", image=IMAGE, images=("registry.example.com/shop",))
    )
    assert isinstance(target, Target), target
    return replace(the_release(wire, phase=Phase.PREPARING), targets=(target,))


def add_budget(wire: WireWorld) -> None:
    labels = {"app": "reviews", "version": "v1"}
    spec = {"minAvailable": 1, "selector": {"matchLabels": labels}}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "reviews-v1"}, "spec": spec}
    wire.cluster.create(BUDGETS.format(wire.namespace), body)


def read(wire: WireWorld, path: str) -> dict[str, Any]:
    return wire.cluster.get(f"{path.format(wire.namespace)}/reviews-v3")


def test_a_candidate_is_made_with_autoscaler_and_budget_and_the_baseline_stays_as_it_is(wire: WireWorld) -> None:
    add_autoscaler(wire, "v1", minReplicas=1)
    add_budget(wire)
    baseline = wire.read("Deployment", "reviews-v1")
    release = preparing(wire)
    assert isinstance(wire.mesh.prepare(release), Refused)
    made = wire.read("Deployment", "reviews-v3")
    expected = copy.deepcopy(baseline["spec"])
    expected["selector"]["matchLabels"]["version"] = expected["template"]["metadata"]["labels"]["version"] = "v3"
    expected["template"]["spec"]["containers"][0]["image"] = IMAGE
    assert canonical(made["spec"]) == canonical(expected)
    assert wire.read("Deployment", "reviews-v1") == baseline
    scaler, budget = read(wire, AUTOSCALERS), read(wire, BUDGETS)
    assert scaler["spec"]["scaleTargetRef"]["name"] == "reviews-v3"
    assert budget["spec"]["selector"]["matchLabels"] == {"app": "reviews", "version": "v3"}
    for each in (scaler, budget):
        assert each["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
        assert each["metadata"]["labels"] == {"sluice/created-by": release.id}


def test_a_baseline_that_was_made_and_deleted_comes_back_with_autoscaler_and_budget(wire: WireWorld) -> None:
    add_autoscaler(wire, "v1", minReplicas=1)
    add_budget(wire)
    wire.mesh.prepare(preparing(wire))
    target = replace(the_target(wire, "v3"), baseline="v3", candidate="v1")
    release = replace(the_release(wire), targets=(target,), rules=Rules(decommission=Decommission.DELETE))
    wanted = {f"{kind} {wire.namespace}/reviews-v3" for kind in PATHS_OF}
    until(lambda: wanted <= wire.mesh.keepsakes(release).keys())
    before = {path: read(wire, path)["spec"] for path in PATHS_OF.values()}
    kept = wire.mesh.keepsakes(release)
    for path in PATHS_OF.values():
        wire.cluster.delete(f"{path.format(wire.namespace)}/reviews-v3", {})
    back = replace(
        release, phase=Phase.ROLLING_BACK, is_cold=True, kept=kept, sizes={f"{wire.namespace}/reviews-v3": 2}
    )
    assert "is scaled up first" in wire.mesh.warm(back)
    uid = wire.read("Deployment", "reviews-v3")["metadata"]["uid"]
    assert {path: read(wire, path)["spec"] for path in PATHS_OF.values()} == before
    assert {read(wire, path)["metadata"]["ownerReferences"][0]["uid"] for path in (AUTOSCALERS, BUDGETS)} == {uid}


def test_a_repeat_makes_nothing_twice_and_goes_on_when_every_pod_is_ready(wire: WireWorld) -> None:
    release = preparing(wire)
    for _ in range(2):
        assert isinstance(wire.mesh.prepare(release), Refused)
    known = wire.mesh._cache.deployments
    until(lambda: any(each["metadata"]["name"] == "reviews-v3" for each in known(wire.namespace)))
    wire.set_ready("v3", 1)
    waiting = wire.mesh.prepare(release)
    assert isinstance(waiting, Refused)
    assert waiting.text.startswith("1 of 2 pods of v3 are ready")
    wire.set_ready("v3", 2)
    assert isinstance(wire.mesh.prepare(release), Preparation)
    assert len([each for each in wire.all("Deployment") if each["metadata"]["name"] == "reviews-v3"]) == 1


def test_what_the_cluster_warns_of_is_told(wire: WireWorld) -> None:
    about = {"kind": "ReplicaSet", "name": "reviews-v3-5d9f", "namespace": wire.namespace}
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "reviews-v3.1", "namespace": wire.namespace},
        "involvedObject": about,
        "type": "Warning",
        "reason": "FailedCreate",
        "message": "exceeded quota: team",
        "lastTimestamp": "2026-03-02T09:30:00Z",
    }
    wire.cluster.create(EVENTS.format(wire.namespace), body)
    refused = wire.mesh.prepare(preparing(wire))
    assert isinstance(refused, Refused)
    assert refused.text.endswith("Kubernetes warns: exceeded quota: team.")
