"""A candidate's Deployment is the baseline's but for name, version label and image; what is in the way is named."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from bot.mesh import candidates
from bot.mesh.documents import canonical
from bot.ports import Preparation
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Release, Target
from tests.builders import a_release
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import a_deployment, a_destination, a_pod, a_virtual_service, waiting_status

Document = dict[str, Any]
IMAGE = "registry.example.com:5000/shop/reviews:v3"
MIRROR = "registry.example.com:5000/shop"
LABEL = ("version", "v3")


def made(baseline: Document, image: str = IMAGE) -> Document:
    found = candidates.deployment(baseline, "reviews-v3", LABEL, image, "reviews-7")
    assert not isinstance(found, Refused), found
    return found


def asked(mesh: FakeMesh, image: str = IMAGE, version: str = "v3") -> Target | Refused:
    return mesh.survey(SurveyRequest("reviews", "shop", version, image=image, images=(MIRROR,)))


def release_of(mesh: FakeMesh) -> Release:
    target = asked(mesh)
    assert isinstance(target, Target), target
    return replace(a_release("reviews-7", phase=Phase.PREPARING), targets=(target,))


def test_everything_but_name_version_and_image_is_as_it_was() -> None:
    baseline = a_deployment("v1", replicas=5)
    spec = baseline["spec"]["template"]["spec"]
    spec |= {"nodeSelector": {"disk": "ssd"}, "volumes": [{"name": "config", "configMap": {"name": "reviews"}}]}
    expected = copy.deepcopy(baseline["spec"])
    expected["selector"]["matchLabels"] = {"app": "reviews", "version": "v3"}
    expected["template"]["metadata"]["labels"] = {"app": "reviews", "version": "v3"}
    expected["template"]["spec"]["containers"][0]["image"] = IMAGE
    document = made(baseline)
    assert canonical(document["spec"]) == canonical(expected)
    assert document["metadata"] == {
        "name": "reviews-v3",
        "namespace": "shop",
        "labels": {"sluice/created-by": "reviews-7"},
    }


def test_what_server_and_tools_wrote_into_the_baseline_is_left_behind() -> None:
    baseline = a_deployment("v1")
    baseline["status"] = {"readyReplicas": 2}
    baseline["metadata"] |= {"uid": "1", "resourceVersion": "7", "ownerReferences": [{"kind": "Rollout"}]}
    baseline["metadata"]["labels"] = {"team": "shop", "version": "v1", "app.kubernetes.io/managed-by": "Helm"}
    baseline["metadata"]["annotations"] = {
        "deployment.kubernetes.io/revision": "4",
        "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/reviews-v1",
        "owner": "team-shop",
    }
    document = made(baseline)
    assert "status" not in document
    assert document["metadata"] == {
        "name": "reviews-v3",
        "namespace": "shop",
        "labels": {"team": "shop", "version": "v3", "sluice/created-by": "reviews-7"},
        "annotations": {"owner": "team-shop"},
    }


@pytest.mark.parametrize(
    ("image", "container"),
    [
        ("registry.example.com:5000/shop/reviews:v3", 0),
        ("mirror.example.com/other/reviews@sha256:" + "a" * 64, 0),
        ("shop/helper:2", 1),
    ],
)
def test_of_several_containers_the_one_with_the_images_repository_runs_it(image: str, container: int) -> None:
    baseline = a_deployment("v1")
    containers = baseline["spec"]["template"]["spec"]["containers"]
    containers.append({"name": "helper", "image": "shop/helper:1"})
    images = [each["image"] for each in made(baseline, image)["spec"]["template"]["spec"]["containers"]]
    assert images[container] == image
    assert images[1 - container] == containers[1 - container]["image"]


def test_an_image_that_no_container_runs_is_refused_with_those_that_do() -> None:
    baseline = a_deployment("v1")
    baseline["spec"]["template"]["spec"]["containers"].append({"name": "helper", "image": "shop/helper:1"})
    refused = candidates.deployment(baseline, "reviews-v3", LABEL, "shop/other:3", "reviews-7")
    assert isinstance(refused, Refused)
    assert refused.text.endswith("shop/other:3: reviews (shop/reviews:v1), helper (shop/helper:1).")


@pytest.mark.parametrize(
    ("name", "candidate", "expected"),
    [("reviews-v1", "v3", "reviews-v3"), ("reviews", "v3", "reviews-v3"), ("reviews-v1", "2.4_rc1", "reviews-2-4-rc1")],
)
def test_the_name_says_the_version(name: str, candidate: str, expected: str) -> None:
    assert candidates.name_of({"metadata": {"name": name}}, "v1", candidate) == expected


def test_a_version_that_is_not_deployed_is_surveyed_with_its_image() -> None:
    target = asked(FakeMesh.shop())
    assert isinstance(target, Target)
    assert (target.image, target.workloads["v3"], target.baseline) == (IMAGE, "reviews-v3", "v1")


@pytest.mark.parametrize("image", ["shop/ratings:v3", "evil.example/shop/reviews:v3", f"{MIRROR}-not/reviews:v3"])
def test_an_image_of_another_repository_does_not_run_with_the_services_rights(image: str) -> None:
    mesh = FakeMesh.shop()
    refused = asked(mesh, image)
    assert isinstance(refused, Refused)
    assert refused.reason_code is ReasonCode.BAD_INPUT
    assert refused.text.startswith(f"image={image} is of another repository than reviews runs (shop/reviews, {MIRROR})")
    assert mesh.find("Deployment", "shop/reviews-v3") is None


@pytest.mark.parametrize("image", ["shop/reviews:v3", f"shop/reviews@sha256:{'0' * 64}", f"{MIRROR}/reviews:v3"])
def test_an_image_of_the_same_repository_or_of_a_named_one_runs(image: str) -> None:
    assert isinstance(asked(FakeMesh.shop(), image), Target)


@pytest.mark.parametrize(("image", "code"), [("shop/reviews:v2", None), ("shop/reviews:other", ReasonCode.BAD_INPUT)])
def test_a_version_that_is_deployed_takes_no_other_image(image: str, code: ReasonCode | None) -> None:
    found = asked(FakeMesh.shop(), image, "v2")
    assert (found.reason_code if isinstance(found, Refused) else None) is code
    assert isinstance(found, Refused) or found.image == ""


def test_a_destination_without_a_subset_refuses_before_anything_is_deployed() -> None:
    mesh = FakeMesh.shop()
    open_route = {"name": "all", "route": [a_destination(None)]}
    mesh.put(a_virtual_service(open_route, name="ingress", hosts=["shop.example.com"]))
    refused = mesh.survey(SurveyRequest("reviews", "shop", "v3", routes=(), image=IMAGE))
    assert isinstance(refused, Refused)
    assert refused.reason_code in {ReasonCode.NO_SUBSET, ReasonCode.AMBIGUOUS_ROUTE}
    assert mesh.find("Deployment", "shop/reviews-v3") is None


def test_preparing_makes_the_deployment_once_and_waits_until_every_pod_is_ready() -> None:
    mesh = FakeMesh.shop()
    mesh.has_controllers = False
    release = release_of(mesh)
    first = mesh.prepare(release)
    assert isinstance(first, Refused)
    assert first.text == "v3 has no ready pod: no pod has been created yet."
    mesh.set_ready("v3", 1)
    second = mesh.prepare(release)
    assert isinstance(second, Refused)
    assert second.text.startswith("1 of 3 pods of v3 are ready")
    mesh.set_ready("v3", 3)
    assert isinstance(mesh.prepare(release), Preparation)
    found = mesh.find("Deployment", "shop/reviews-v3")
    assert found is not None
    assert found["metadata"]["labels"]["sluice/created-by"] == "reviews-7"


def test_a_pod_in_trouble_is_named_while_it_is_prepared() -> None:
    mesh = FakeMesh.shop()
    mesh.has_controllers = False
    release = release_of(mesh)
    mesh.prepare(release)
    mesh.put(a_pod("v3", 9) | {"status": waiting_status("ImagePullBackOff", "no such image")})
    refused = mesh.prepare(release)
    assert isinstance(refused, Refused)
    assert "its image cannot be pulled" in refused.text


def test_a_deployment_of_that_name_that_somebody_else_made_is_left_alone() -> None:
    mesh = FakeMesh.shop()
    release = release_of(mesh)
    foreign = mesh.put(a_deployment("v3"))
    refused = mesh.prepare(release)
    assert isinstance(refused, Refused)
    assert "is not made by Sluice" in refused.text
    assert mesh.find("Deployment", "shop/reviews-v3") == foreign
