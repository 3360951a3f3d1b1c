"""Watches: order, resume, selection, bookmarks, and history that is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.contract.kubernetes.documents import config_map, virtual_service

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Cluster


def _version(cluster: Cluster, path: str) -> str:
    version: str = cluster.get(path)["metadata"]["resourceVersion"]
    return version


def _seen(cluster: Cluster, path: str, count: int, **query: Any) -> list[tuple[str, str]]:
    """Type and name of the next events, then the watch is left."""
    found = []
    for event in cluster.events(path, **query):
        found.append((event["type"], event["object"]["metadata"]["name"]))
        if len(found) == count:
            break
    return found


def test_a_watch_from_a_list_tells_every_change_since_in_order(cluster: Cluster, config_maps: str) -> None:
    start = _version(cluster, config_maps)
    cluster.create(config_maps, config_map("a"))
    cluster.patch(f"{config_maps}/a", {"data": {"x": "1"}})
    cluster.delete(f"{config_maps}/a")
    seen = _seen(cluster, config_maps, 3, resourceVersion=start)
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_a_watch_resumes_after_the_last_event_it_saw(cluster: Cluster, config_maps: str) -> None:
    start = _version(cluster, config_maps)
    for name in "abc":
        cluster.create(config_maps, config_map(name))
    first = next(cluster.events(config_maps, resourceVersion=start))
    resumed = first["object"]["metadata"]["resourceVersion"]
    assert _seen(cluster, config_maps, 2, resourceVersion=resumed) == [("ADDED", "b"), ("ADDED", "c")]


def test_a_deletion_carries_its_own_version(cluster: Cluster, config_maps: str) -> None:
    created = cluster.create(config_maps, config_map("a"))["metadata"]["resourceVersion"]
    cluster.delete(f"{config_maps}/a")
    event = next(cluster.events(config_maps, resourceVersion=created))
    assert event["type"] == "DELETED"
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(created)


def test_a_watch_from_nought_begins_with_what_is_there(cluster: Cluster, config_maps: str) -> None:
    for name in "ab":
        cluster.create(config_maps, config_map(name))
    assert _seen(cluster, config_maps, 2, resourceVersion="0") == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_too_far_back_is_told_gone_in_an_error_event(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    (event,) = cluster.events(virtual_services, resourceVersion="1", timeoutSeconds="2")
    status = event["object"]
    assert event["type"] == "ERROR"
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")


def test_a_watch_ends_when_its_time_is_up(cluster: Cluster, config_maps: str) -> None:
    start = time.monotonic()
    events = list(cluster.events(config_maps, resourceVersion=_version(cluster, config_maps), timeoutSeconds=1))
    # A watch that did not end would be silent for longer than the client bears.
    assert events == []
    assert time.monotonic() - start > 0.7


def test_a_bookmark_brings_the_version_forward(cluster: Cluster, config_maps: str) -> None:
    query = {"labelSelector": "watched", "allowWatchBookmarks": "true", "timeoutSeconds": "6"}
    start = _version(cluster, config_maps)
    cluster.create(config_maps, config_map("a"))
    cluster.patch(f"{config_maps}/a", {"metadata": {"labels": {"watched": "yes"}}})
    events = cluster.events(config_maps, resourceVersion=start, **query)
    assert next(events)["object"]["metadata"]["name"] == "a"
    # Only what happens while somebody watches is worth a bookmark.
    written = cluster.create(config_maps, config_map("other"))["metadata"]["resourceVersion"]
    told = list(events)
    assert {each["type"] for each in told} == {"BOOKMARK"}
    assert int(told[-1]["object"]["metadata"]["resourceVersion"]) >= int(written)


def test_an_object_enters_and_leaves_a_watch_with_its_labels(cluster: Cluster, config_maps: str) -> None:
    start, one = _version(cluster, config_maps), f"{config_maps}/a"
    cluster.create(config_maps, config_map("a"))
    cluster.patch(one, {"metadata": {"labels": {"watched": "yes"}}})
    cluster.patch(one, {"data": {"x": "1"}})
    cluster.patch(one, {"metadata": {"labels": {"watched": None}}})
    seen = _seen(cluster, config_maps, 3, resourceVersion=start, labelSelector="watched=yes")
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_a_watch_of_one_name_hears_of_no_other(cluster: Cluster, config_maps: str) -> None:
    start = _version(cluster, config_maps)
    for name in "ab":
        cluster.create(config_maps, config_map(name))
    query = {"resourceVersion": start, "fieldSelector": "metadata.name=b"}
    assert _seen(cluster, config_maps, 1, **query) == [("ADDED", "b")]


def test_a_watch_shows_objects_in_its_own_version(cluster: Cluster, virtual_services: str) -> None:
    start = _version(cluster, virtual_services)
    cluster.create(virtual_services, virtual_service())
    older = virtual_services.replace("/v1/", "/v1beta1/")
    event = next(cluster.events(older, resourceVersion=start))
    assert event["object"]["apiVersion"] == "networking.istio.io/v1beta1"


def test_a_write_reaches_a_waiting_watch(cluster: Cluster, config_maps: str) -> None:
    query = {"resourceVersion": _version(cluster, config_maps)}
    cluster.create(config_maps, config_map("first"))
    events = cluster.events(config_maps, **query)
    next(events)
    cluster.create(config_maps, config_map("second"))
    assert next(events)["object"]["metadata"]["name"] == "second"
    events.close()
