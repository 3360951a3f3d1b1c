"""Pods are counted and scaled, autoscalers respected, quotas read, and all sizes given back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.mesh.holding import HELD, LEAST, free, hold
from bot.mesh.quotas import quantity
from strategies.plan import Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Decommission, Phase, Release, Rules
from tests.builders import a_plan, a_release, a_stage, a_target
from tests.fakes_mesh import FakeMesh

Document = dict[str, Any]


def promoting(**changes: Any) -> Release:
    """A release on its way to 100 %, from a baseline of three pods."""
    release = a_release(phase=Phase.SHIFTING, stage=3, sizes={"shop/reviews-v1": 3}, rules=Rules(scale=True))
    return replace(release, **changes)


def an_autoscaler(version: str = "v2", least: int | None = 2, most: int = 6) -> Document:
    """An autoscaler of one version."""
    spec: Document = {"scaleTargetRef": {"kind": "Deployment", "name": f"reviews-{version}"}, "maxReplicas": most}
    if least is not None:
        spec["minReplicas"] = least
    metadata = {"name": f"reviews-{version}", "namespace": "shop"}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}


def a_quota(hard: Document, used: Document, **spec: Any) -> Document:
    """A quota with its account."""
    metadata = {"name": "team", "namespace": "shop"}
    return {"kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard, **spec}, "status": {"used": used}}


def replicas(mesh: FakeMesh, version: str) -> int:
    found = mesh.find("Deployment", f"shop/reviews-{version}")
    assert found is not None
    return int(found["spec"]["replicas"])


def least(mesh: FakeMesh, version: str) -> int | None:
    found = mesh.find("HorizontalPodAutoscaler", f"shop/reviews-{version}")
    assert found is not None
    value: int | None = found["spec"].get("minReplicas")
    return value


def test_enough_ready_pods_let_the_increase_pass_and_change_nothing() -> None:
    mesh = FakeMesh.shop()
    assert mesh.capacity(promoting(stage=0)) == ""
    assert replicas(mesh, "v2") == 2


def test_too_few_pods_are_told_and_scaled_up_where_the_profile_allows() -> None:
    mesh = FakeMesh.shop()
    assert mesh.capacity(promoting()) == "v2 has 2 ready pods and needs 3 for its share; it is being scaled up."
    assert replicas(mesh, "v2") == 3
    assert mesh.capacity(promoting()) == ""


def test_where_the_profile_does_not_allow_it_nothing_is_scaled() -> None:
    mesh = FakeMesh.shop()
    text = mesh.capacity(promoting(rules=Rules()))
    assert text.endswith("; scale it up, or let Sluice do it by `scale: true` in the profile.")
    assert replicas(mesh, "v2") == 2


def test_a_baseline_of_unknown_size_asks_for_nothing() -> None:
    assert FakeMesh.shop().capacity(promoting(sizes={})) == ""


def test_a_candidate_without_a_pod_says_why() -> None:
    mesh = FakeMesh.shop()
    mesh.set_ready("v2", 0)
    assert "v2 has no ready pod: no pod has been created yet." in mesh.capacity(promoting(rules=Rules()))


def test_an_autoscaler_is_told_its_least_number_and_the_deployment_is_left_to_it() -> None:
    mesh = FakeMesh.shop()
    mesh.put(an_autoscaler())
    mesh.capacity(promoting())
    assert (least(mesh, "v2"), replicas(mesh, "v2")) == (3, 2)


def test_an_autoscaler_that_allows_too_few_is_named_and_not_overruled() -> None:
    mesh = FakeMesh.shop()
    mesh.put(an_autoscaler(most=2))
    text = mesh.capacity(promoting())
    assert text.endswith("HorizontalPodAutoscaler shop/reviews-v2 allows 2 at most (maxReplicas).")
    assert least(mesh, "v2") == 2


def test_an_autoscaler_that_another_controller_writes_is_named_and_not_fought() -> None:
    mesh = FakeMesh.shop()
    for version in ("v1", "v2"):
        scaler = an_autoscaler(version)
        owner = {"kind": "ScaledObject", "name": "reviews", "controller": True}
        scaler["metadata"]["ownerReferences"] = [owner]
        mesh.put(scaler)
    owned = "HorizontalPodAutoscaler shop/reviews-v2 belongs to ScaledObject reviews, which would undo a change"
    assert owned in mesh.capacity(promoting())
    mesh.set_sizes(promoting())
    assert (least(mesh, "v1"), least(mesh, "v2")) == (2, 2)


@pytest.mark.parametrize("was", [1, None])
def test_the_baselines_autoscaler_is_held_and_given_back_exactly(was: int | None) -> None:
    mesh = FakeMesh.shop()
    before = mesh.put(an_autoscaler("v1", was))["spec"]
    mesh.set_sizes(promoting())
    assert least(mesh, "v1") == 3
    mesh.set_sizes(promoting())
    mesh.set_sizes(promoting(phase=Phase.ROLLED_BACK))
    found = mesh.find("HorizontalPodAutoscaler", "shop/reviews-v1")
    assert found is not None
    assert found["spec"] == before
    assert "annotations" not in found["metadata"] or HELD not in found["metadata"]["annotations"]


def test_a_number_that_somebody_edited_meanwhile_is_left_as_it_is() -> None:
    mesh = FakeMesh.shop()
    mesh.put(an_autoscaler("v1", 1))
    mesh.set_sizes(promoting())
    mesh.edit("HorizontalPodAutoscaler", "shop/reviews-v1", lambda each: each["spec"].update(minReplicas=5))
    mesh.set_sizes(promoting(phase=Phase.COMPLETED))
    assert least(mesh, "v1") == 5


def test_a_baseline_that_was_scaled_down_by_hand_is_scaled_up_again() -> None:
    mesh = FakeMesh.shop()
    mesh.edit("Deployment", "shop/reviews-v1", lambda each: each["spec"].update(replicas=1))
    mesh.set_sizes(promoting())
    assert replicas(mesh, "v1") == 3
    mesh.edit("Deployment", "shop/reviews-v1", lambda each: each["spec"].update(replicas=1))
    mesh.set_sizes(promoting(rules=Rules()))
    assert replicas(mesh, "v1") == 1


@pytest.mark.parametrize(("phase", "left"), [(Phase.ROLLED_BACK, 2), (Phase.COMPLETED, 3)])
def test_a_candidate_keeps_the_pods_it_needs_and_gives_back_those_it_does_not(phase: Phase, left: int) -> None:
    mesh = FakeMesh.shop()
    mesh.capacity(promoting())
    mesh.set_sizes(promoting(phase=phase))
    assert replicas(mesh, "v2") == left
    found = mesh.find("Deployment", "shop/reviews-v2")
    assert found is not None
    assert "annotations" not in found["metadata"]


def test_a_baseline_that_retires_is_not_held_up() -> None:
    mesh = FakeMesh.shop()
    mesh.edit("Deployment", "shop/reviews-v1", lambda each: each["spec"].update(replicas=0))
    rules = Rules(scale=True, decommission=Decommission.SCALE_TO_ZERO)
    mesh.set_sizes(promoting(phase=Phase.DECOMMISSIONING, rules=rules))
    mesh.set_sizes(promoting(phase=Phase.COMPLETED, rules=rules, is_cold=True))
    assert replicas(mesh, "v1") == 0


def test_a_size_that_is_large_enough_is_not_touched() -> None:
    assert hold(an_autoscaler(least=4), LEAST, 3, "reviews-1") is None
    assert free(an_autoscaler(), LEAST, "reviews-1", restores=True) is None


def blue_green() -> Plan:
    return Plan(StrategyName.BLUE_GREEN, (a_stage("100"),))


@pytest.mark.parametrize(
    ("hard", "used", "text"),
    [
        ({"pods": "5"}, {"pods": "5"}, "v2 needs 1 more pod, but quota shop/team allows pods 5, and 5 is used."),
        ({"requests.cpu": "2"}, {"requests.cpu": "1800m"}, "quota shop/team allows requests.cpu 2, and 1800m is used."),
        ({"limits.memory": "1Gi"}, {"limits.memory": "800Mi"}, "allows limits.memory 1Gi, and 800Mi is used."),
    ],
)
def test_a_quota_without_room_refuses_a_second_full_version(hard: Document, used: Document, text: str) -> None:
    mesh = FakeMesh.shop()
    resources = {"requests": {"cpu": "250m"}, "limits": {"memory": "256Mi"}}
    mesh.edit("Deployment", "shop/reviews-v2", lambda each: container(each).update(resources=resources))
    mesh.put(a_quota(hard, used))
    refused = mesh.room(a_target(), blue_green(), Decimal(100))
    assert isinstance(refused, Refused)
    assert (refused.reason_code, text in refused.text) == (ReasonCode.CAPACITY, True)


@pytest.mark.parametrize(
    "quota",
    [
        a_quota({"pods": "6"}, {"pods": "5"}),
        a_quota({"pods": "5"}, {"pods": "5"}, scopes=["Terminating"]),
        a_quota({"configmaps": "5"}, {"configmaps": "5"}),
        a_quota({"requests.cpu": "1"}, {"requests.cpu": "1"}),
    ],
)
def test_a_quota_with_room_or_about_something_else_refuses_nothing(quota: Document) -> None:
    mesh = FakeMesh.shop()
    mesh.put(quota)
    assert mesh.room(a_target(), blue_green(), Decimal(100)) is None
    assert mesh.room(a_target(), a_plan("5"), Decimal(100)) is None


IN_BATCH = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["batch"]}]}
NOT_BATCH = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["batch"]}]}
NO_CLASS = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "DoesNotExist"}]}
NEAR = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "namespaces": ["other"]}]}
PREFERRED: Document = {
    "preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": {"namespaceSelector": {}}}]
}


@pytest.mark.parametrize(
    ("spec", "pod", "counted"),
    [
        ({"scopes": ["BestEffort"]}, {}, True),
        ({"scopes": ["NotBestEffort"]}, {}, False),
        ({"scopes": ["NotBestEffort"]}, {"asks": {"requests": {"cpu": "1m"}}}, True),
        ({"scopes": ["BestEffort"]}, {"asks": {"limits": {"memory": "1Mi"}}}, False),
        ({"scopes": ["BestEffort"]}, {"asks": {"requests": {"ephemeral-storage": "1Mi"}}}, True),
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 60}, True),
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, {}, False),
        ({"scopes": ["PriorityClass"]}, {}, False),
        ({"scopes": ["PriorityClass"]}, {"priorityClassName": "web"}, True),
        ({"scopeSelector": IN_BATCH}, {"priorityClassName": "web"}, False),
        ({"scopeSelector": IN_BATCH}, {"priorityClassName": "batch"}, True),
        ({"scopeSelector": NOT_BATCH}, {"priorityClassName": "web"}, True),
        ({"scopeSelector": NO_CLASS}, {}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {"affinity": {"podAffinity": NEAR}}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {"affinity": {"podAntiAffinity": PREFERRED}}, True),
        ({"scopes": ["VolumeAttributesClass"]}, {}, False),
    ],
)
def test_a_quota_with_scopes_counts_the_pods_that_kubernetes_counts(
    spec: Document, pod: Document, counted: bool
) -> None:
    mesh = FakeMesh.shop()

    def change(each: Document) -> None:
        container(each).update(resources=pod.get("asks", {}))
        each["spec"]["template"]["spec"].update({key: value for key, value in pod.items() if key != "asks"})

    mesh.edit("Deployment", "shop/reviews-v2", change)
    mesh.put(a_quota({"pods": "5"}, {"pods": "5"}, **spec))
    refused = mesh.room(a_target(), blue_green(), Decimal(100))
    assert (refused is not None) is counted


def test_pods_that_run_tell_their_class_whatever_the_deployment_says() -> None:
    mesh = FakeMesh.shop()
    mesh.put(a_quota({"pods": "5"}, {"pods": "5"}, scopes=["NotBestEffort"]))
    assert mesh.room(a_target(), blue_green(), Decimal(100)) is None
    mesh.edit("Pod", "shop/reviews-v1-0", lambda each: each["status"].update(qosClass="Burstable"))
    assert mesh.room(a_target(), blue_green(), Decimal(100)) is not None


@pytest.mark.parametrize(
    ("spec", "used"),
    [
        ({"initContainers": [{"name": "migrate", "resources": {"requests": {"cpu": "600m"}}}]}, "1500m"),
        (
            {"initContainers": [{"name": "p", "restartPolicy": "Always", "resources": {"requests": {"cpu": "300m"}}}]},
            "1500m",
        ),
        ({"overhead": {"cpu": "300m"}}, "1500m"),
    ],
)
def test_a_pod_takes_what_its_largest_moment_takes(spec: Document, used: str) -> None:
    mesh = FakeMesh.shop()

    def change(each: Document) -> None:
        container(each).update(resources={"requests": {"cpu": "250m"}})
        each["spec"]["template"]["spec"].update(spec)

    mesh.put(a_quota({"requests.cpu": "2"}, {"requests.cpu": used}))
    assert mesh.room(a_target(), blue_green(), Decimal(100)) is None
    mesh.edit("Deployment", "shop/reviews-v2", change)
    assert mesh.room(a_target(), blue_green(), Decimal(100)) is not None


@pytest.mark.parametrize(
    ("text", "value"), [("500m", "0.5"), ("2Gi", "2147483648"), ("1e3", "1000"), ("3", "3"), ("4k", "4000")]
)
def test_quantities_are_read_as_kubernetes_writes_them(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)
    with pytest.raises(ValueError, match="no quantity"):
        quantity("a lot")


def container(deployment: Document) -> Document:
    found: Document = deployment["spec"]["template"]["spec"]["containers"][0]
    return found
