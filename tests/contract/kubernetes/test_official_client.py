"""The official client as the bot uses it: typed models, custom objects, watch, informer, leases."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes import client, watch
from kubernetes.dynamic import DynamicClient
from kubernetes.informer import SharedInformer

from tests.contract.kubernetes.documents import config_map, deployment, virtual_service
from tests.contract.patience import PATIENCE

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Cluster

# These three carry no annotations.
WATCH: Any = watch.Watch
INFORMER: Any = SharedInformer
DYNAMIC: Any = DynamicClient
ISTIO = ("networking.istio.io", "v1")


def test_typed_objects_survive_the_round_trip(api_client: client.ApiClient, namespace: str) -> None:
    apps: Any = client.AppsV1Api(api_client)
    apps.create_namespaced_deployment(namespace, deployment(replicas=2))
    listed = apps.list_namespaced_deployment(namespace).items
    assert [each.spec.replicas for each in listed] == [2]
    scale = apps.patch_namespaced_deployment_scale("reviews-v1", namespace, {"spec": {"replicas": 0}})
    assert scale.metadata.name == "reviews-v1"
    assert apps.delete_namespaced_deployment("reviews-v1", namespace)["status"] == "Success"


def test_custom_objects_are_replaced_under_their_version(api_client: client.ApiClient, namespace: str) -> None:
    custom: Any = client.CustomObjectsApi(api_client)
    where = (*ISTIO, namespace, "virtualservices")
    created = custom.create_namespaced_custom_object(*where, virtual_service())
    created["spec"]["gateways"] = ["mesh"]
    replaced = custom.replace_namespaced_custom_object(*where, "reviews", created)
    with pytest.raises(client.ApiException) as refused:
        custom.replace_namespaced_custom_object(*where, "reviews", {**created, "spec": {"hosts": ["x"]}})
    assert replaced["spec"]["gateways"] == ["mesh"]
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")


def test_the_version_model_is_whole(api_client: client.ApiClient) -> None:
    assert client.VersionApi(api_client).get_code().git_version.startswith("v1.34.")


def test_a_typed_review_is_answered(api_client: client.ApiClient) -> None:
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "shop"}}}
    authorization: Any = client.AuthorizationV1Api(api_client)
    review = authorization.create_self_subject_access_review(body)
    assert review.status.allowed is True


def test_a_watch_yields_typed_events(
    api_client: client.ApiClient, cluster: Cluster, namespace: str, config_maps: str
) -> None:
    core: Any = client.CoreV1Api(api_client)
    watcher = WATCH()
    listed = core.list_namespaced_config_map(namespace)
    start = listed.metadata.resource_version
    cluster.create(config_maps, config_map("a"))
    stream = watcher.stream(core.list_namespaced_config_map, namespace, resource_version=start, timeout_seconds=30)
    event = next(stream)
    stream.close()
    assert (event["type"], event["object"].metadata.name) == ("ADDED", "a")


def test_a_watch_from_forgotten_history_raises_gone(
    api_client: client.ApiClient, cluster: Cluster, namespace: str, virtual_services: str
) -> None:
    cluster.create(virtual_services, virtual_service())
    custom: Any = client.CustomObjectsApi(api_client)
    watcher = WATCH()
    where = (*ISTIO, namespace, "virtualservices")
    stream = watcher.stream(custom.list_namespaced_custom_object, *where, resource_version="1", timeout_seconds=2)
    with pytest.raises(client.ApiException) as gone:
        next(stream)
    assert gone.value.status == 410


def test_an_informer_keeps_its_cache_in_step(
    api_client: client.ApiClient, cluster: Cluster, namespace: str, config_maps: str
) -> None:
    cluster.create(config_maps, config_map("a"))
    core: Any = client.CoreV1Api(api_client)
    changed = threading.Event()
    informer = INFORMER(core.list_namespaced_config_map, namespace=namespace)
    informer.add_event_handler("DELETED", lambda _: changed.set())
    listed = threading.Event()
    informer.add_event_handler("ADDED", lambda _: listed.set())
    informer.start()
    assert listed.wait(PATIENCE)
    cluster.delete(f"{config_maps}/a")
    assert changed.wait(PATIENCE)
    assert informer.cache.list() == []
    informer.stop()


def test_the_dynamic_client_finds_istio_by_discovery(api_client: client.ApiClient, namespace: str) -> None:
    found = DYNAMIC(api_client).resources.get(api_version="networking.istio.io/v1", kind="VirtualService")
    created = found.create(body=virtual_service(), namespace=namespace)
    assert created.spec.hosts == ["reviews"]
