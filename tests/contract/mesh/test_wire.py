"""What only a wire can do to the adapter: conflicts, lost answers, refusals, ended watches, rewritten objects."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.errors import Fault, Transient
from bot.mesh import watch_cache, watch_source
from bot.mesh.istio import IstioMesh
from bot.mesh.kube_api import connect
from bot.mesh.watch_cache import KINDS, OPTIONAL
from bot.ports import Preparation, RouteOrder, Written
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Split
from tests.contract.mesh.test_deploying import preparing
from tests.contract.mesh.test_mesh import FIFTY, FIVE, name_of, weights
from tests.contract.mesh.world import PushedClock, RealClock, an_order, the_release, the_target
from tests.contract.patience import PATIENCE, until
from tests.mesh_documents import a_deployment
from tests.parts.processes import free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.mesh.world import WireWorld

WATCHES = len((*KINDS, *OPTIONAL))


def status(code: int, reason: str, message: str) -> bytes:
    document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return json.dumps(document | {"code": code}).encode()


def test_a_change_needs_one_put_and_no_get(wire: WireWorld) -> None:
    wire.proxy.seen.clear()
    wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    assert [method for method, path in wire.proxy.seen if "watch" not in path] == ["PUT"]
    assert "fieldManager=sluice" in wire.proxy.writes()[0]


def test_a_concurrent_edit_between_read_and_write_is_kept(wire: WireWorld) -> None:
    def somebody() -> None:
        wire.edit(lambda document: document["spec"]["http"][0].update(timeout="1s"))

    wire.proxy.before.append(somebody)
    wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    assert wire.read("VirtualService")["spec"]["http"][0]["timeout"] == "1s"
    assert weights(wire) == {"v1": 95, "v2": 5}


def test_a_lost_answer_is_looked_up_and_not_written_twice(wire: WireWorld) -> None:
    wire.proxy.lost = 1
    written = wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    assert isinstance(written, Written)
    assert (written.changed, wire.writes(), weights(wire)) == (True, 1, {"v1": 95, "v2": 5})


def test_writers_that_meet_on_one_object_lose_nothing(wire: WireWorld) -> None:
    somebody = threading.Thread(target=edit_often, args=(wire, 30))
    somebody.start()
    for share in range(1, 21):
        order = an_order(wire, Split.between("v1", "v2", Decimal(share)), share + 1, force=True)
        written(wire, order)
    somebody.join(2 * PATIENCE)
    assert wire.read("VirtualService")["spec"]["http"][0]["timeout"] == "30s"
    assert weights(wire) == {"v1": 80, "v2": 20}


def written(wire: WireWorld, order: RouteOrder) -> None:
    """Write it, as often as it takes: what meets too many others is asked again by the outbox."""
    with suppress(Transient):
        wire.mesh.set_route(name_of(wire), partial(list, [order]))
        return
    written(wire, order)


def edit_often(wire: WireWorld, times: int) -> None:
    """Count the route's timeout up, reading again after each conflict."""
    path = f"/apis/networking.istio.io/v1/namespaces/{wire.namespace}/virtualservices/reviews"
    done = 0
    while done < times:
        document = wire.cluster.get(path)
        document["spec"]["http"][0]["timeout"] = f"{done + 1}s"
        done += wire.cluster.ask("PUT", path, document).code == 200
        time.sleep(0.005)


def test_orders_that_change_during_the_write_win(wire: WireWorld) -> None:
    answers = [[an_order(wire, FIVE)], [an_order(wire, FIFTY, 3, expected=FIVE)]]
    wire.mesh.set_route(name_of(wire), lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    assert weights(wire) == {"v1": 50, "v2": 50}


def test_a_webhook_that_forbids_a_write_is_not_taken_for_a_role_that_does(wire: WireWorld) -> None:
    told = 'admission webhook "guard" denied the request: no'
    wire.proxy.answers.append(("PUT", 403, status(403, "Forbidden", told), {}))
    with pytest.raises(Fault, match=r"refuses to update VirtualService .*: 403 admission webhook .* no$"):
        wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    assert wire.mesh.lacking() == []


def test_a_server_that_does_not_say_what_is_granted_is_asked_by_the_attempt(wire: WireWorld) -> None:
    wire.proxy.forbidden = "/selfsubjectaccessreviews"
    assert isinstance(wire.mesh.prepare(preparing(wire)), Refused)
    assert wire.read("Deployment", "reviews-v3")["spec"]["replicas"] == 2
    assert wire.mesh.lacking() == []


def test_a_server_that_limits_us_says_when_to_come_back(wire: WireWorld) -> None:
    wire.proxy.answers.append(("PUT", 429, status(429, "TooManyRequests", "slow"), {"Retry-After": "3"}))
    with pytest.raises(Transient) as caught:
        wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    assert caught.value.retry_after == 3.0


def test_a_failing_server_is_a_transient_trouble(wire: WireWorld) -> None:
    wire.proxy.answers.append(("PUT", 503, status(503, "ServiceUnavailable", "later"), {}))
    with pytest.raises(Transient, match="503 later"):
        wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])


PAGE = b"<html><title>Sign in</title></html>"


@pytest.mark.parametrize(
    ("code", "page"),
    [(200, PAGE), (400, PAGE), (403, PAGE), (404, PAGE), (407, PAGE), (404, b'{"message": "no Route matched"}')],
)
def test_a_page_in_the_servers_place_says_nothing_of_the_object(wire: WireWorld, code: int, page: bytes) -> None:
    wire.proxy.answers += [("PUT", code, page, {}), ("GET", code, page, {})]
    with pytest.raises(Transient, match=f"something that is not the Kubernetes API answered with HTTP {code}$"):
        wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    wire.proxy.answers.clear()
    wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])
    assert weights(wire) == {"v1": 95, "v2": 5}


@pytest.mark.parametrize(("code", "told"), [(404, PAGE), (200, PAGE), (200, b"{}")])
def test_a_page_in_the_place_of_a_list_does_not_empty_what_is_known(lonely: WireWorld, code: int, told: bytes) -> None:
    # More than are asked for until it is seen.
    lonely.proxy.answers = [("GET", code, told, {})] * 10_000
    mesh = lonely.another_mesh()
    mesh.start()
    until(lambda: any("not the Kubernetes API" in each for each in mesh.troubles()))
    lonely.proxy.answers = []
    until(lambda: not mesh.troubles())
    assert mesh.survey(SurveyRequest("reviews", lonely.namespace, "v2")) == the_target(lonely)
    mesh.stop()


def test_a_webhook_that_rewrites_our_weights_is_a_fault(wire: WireWorld) -> None:
    wire.proxy.change_answer = lambda told: (
        told.replace(b'"weight":95', b'"weight":90')
        .replace(b'"weight": 95', b'"weight": 90')
        .replace(b'"weight":5}', b'"weight":10}')
        .replace(b'"weight": 5}', b'"weight": 10}')
    )
    with pytest.raises(Fault, match="v1 95 %, v2 5 %, but the server kept v1 90 %, v2 10 %"):
        wire.mesh.set_route(name_of(wire), lambda: [an_order(wire, FIVE)])


def test_a_watch_that_was_ended_goes_on_where_it_was(lonely: WireWorld) -> None:
    lonely.proxy.end_watches()
    until(lambda: len(lonely.proxy.watches) == WATCHES)
    lists = [path for method, path in lonely.proxy.seen if method == "GET" and path.endswith("virtualservices")]
    lonely.set_ready("v2", 1)
    assert lonely.mesh.ready_pods(the_target(lonely)) == {"v1": 3, "v2": 1}
    assert len(lists) == 1


def test_a_watch_that_fell_too_far_behind_lists_again(lonely: WireWorld) -> None:
    lonely.proxy.answers += [("GET", 410, status(410, "Expired", "too old resource version"), {})] * WATCHES
    lonely.proxy.seen.clear()
    lonely.proxy.end_watches()
    until(lambda: len(lonely.proxy.watches) == WATCHES and not lonely.proxy.answers)
    assert len([path for method, path in lonely.proxy.seen if method == "GET" and "?" not in path]) == WATCHES
    lonely.set_ready("v2", 1)
    assert lonely.mesh.ready_pods(the_target(lonely)) == {"v1": 3, "v2": 1}


def test_a_role_that_may_not_list_is_told_what_it_lacks(lonely: WireWorld) -> None:
    lonely.proxy.forbidden = "/virtualservices"
    mesh = lonely.another_mesh()
    mesh.start()
    needed = f"Sluice may not list virtualservices.networking.istio.io in namespace {lonely.namespace}; bind the role"
    until(lambda: any(needed in each for each in mesh.troubles()))
    lonely.proxy.forbidden = ""
    until(lambda: not mesh.troubles())
    mesh.stop()


def test_a_role_that_may_not_read_what_is_good_to_know_stops_nothing(lonely: WireWorld) -> None:
    lonely.proxy.forbidden = "/horizontalpodautoscalers"
    mesh = lonely.another_mesh()
    mesh.start()
    until(lambda: not mesh.troubles() and mesh.ready_pods(the_target(lonely)) is not None)
    assert mesh.survey(SurveyRequest("reviews", lonely.namespace, "v2")) == the_target(lonely)
    mesh.stop()


def test_a_rollback_waits_for_no_list_but_its_own(lonely: WireWorld) -> None:
    lonely.mesh.set_route(name_of(lonely), lambda: [an_order(lonely, FIVE)])
    lonely.proxy.forbidden = "/pods"
    mesh, back = lonely.another_mesh(), an_order(lonely, None, 3, expected=FIVE, force=True)
    mesh.start()
    until(lambda: mesh.manifest(name_of(lonely)) is not None)
    written = mesh.set_route(name_of(lonely), lambda: [back])
    with pytest.raises(Transient, match="pods"):
        mesh.set_route(name_of(lonely), lambda: [an_order(lonely, FIVE, 4)])
    mesh.stop()
    assert isinstance(written, Written)
    assert weights(lonely) == {"v1": None}


def test_a_change_is_told_to_whoever_listens(lonely: WireWorld) -> None:
    heard: list[str] = []
    lonely.mesh.on_change(heard.append)
    lonely.edit(lambda document: document["spec"]["http"][0].update(timeout="1s"))
    until(lambda: name_of(lonely) in heard)
    assert set(heard) == {name_of(lonely)}


def test_pods_that_change_are_told_with_their_labels_also_after_a_watch_was_lost(lonely: WireWorld) -> None:
    heard: list[tuple[str, str | None]] = []
    lonely.mesh.on_pods(lambda namespace, labels: heard.append((namespace, labels.get("version"))))
    lonely.add(a_deployment("v3"))
    until(lambda: (lonely.namespace, "v3") in heard)
    heard.clear()
    lonely.proxy.end_watches()
    lonely.set_ready("v2", 1)
    until(lambda: (lonely.namespace, "v2") in heard)
    assert lonely.mesh.picks(the_target(lonely), {"app": "reviews", "version": "v2"})
    assert not lonely.mesh.picks(the_target(lonely), {"app": "other", "version": "v2"})


def test_the_first_lists_are_told_once_and_their_objects_are_not(lonely: WireWorld) -> None:
    told: list[str] = []
    mesh = lonely.another_mesh()
    mesh.on_listed(lambda: told.append("listed"))
    mesh.on_pods(lambda *_: told.append("pods"))
    mesh.start()
    until(lambda: not mesh.troubles())
    assert told == ["listed"]
    lonely.proxy.end_watches()
    lonely.set_ready("v2", 1)
    until(lambda: "pods" in told)
    assert told.count("listed") == 1
    mesh.stop()


def test_the_split_waits_until_proxies_know_the_new_subset(lonely: WireWorld) -> None:
    clock, propagation = PushedClock(), timedelta(minutes=10)
    mesh = lonely.another_mesh(clock, propagation)
    lonely.add(a_deployment("v3"))
    lonely.set_ready("v3", 1)
    mesh.start()
    until(lambda: not mesh.troubles())
    release = the_release(lonely, "v3")
    assert isinstance(mesh.prepare(release), Preparation)
    split = Split.between("v1", "v3", Decimal(5))
    order = an_order(lonely, split, target=release.target)
    with pytest.raises(Transient) as caught:
        mesh.set_route(name_of(lonely), lambda: [order])
    left = timedelta(seconds=caught.value.retry_after or 0)
    assert timedelta() < left <= propagation
    clock.ahead = left
    assert isinstance(mesh.set_route(name_of(lonely), lambda: [order]), Written)
    mesh.stop()


@pytest.fixture
def patient_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits for its threads, and whoever pauses between attempts does so for good: each has to be woken."""
    monkeypatch.setattr(watch_cache, "STOP_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(watch_source, "PAUSES", (2 * PATIENCE,))


def test_a_pod_that_cannot_start_is_named_with_its_reason(wire: WireWorld) -> None:
    wire.set_ready("v2", 0)
    wire.add_waiting_pod("v2", "ImagePullBackOff", "no such image")
    refused = wire.mesh.prepare(the_release(wire))
    assert isinstance(refused, Refused)
    assert "pod reviews-v2-500: its image cannot be pulled" in refused.text


def test_an_api_server_that_does_not_answer_is_named(tmp_path: Path, patient_stop: None) -> None:
    port = free_ports(1)[0]
    config = tmp_path / "kubeconfig.yaml"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n"
        "users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
    )
    mesh = IstioMesh(connect(str(config)), RealClock())
    mesh.start()
    until(lambda: any("refused" in each for each in mesh.troubles()))
    assert mesh.troubles()[0].startswith(f"Kubernetes API at http://127.0.0.1:{port} has not answered yet: ")
    refused = mesh.survey(SurveyRequest("reviews", "shop", "v2"))
    assert isinstance(refused, Refused)
    assert refused.reason_code is ReasonCode.UNREACHABLE
    began = time.monotonic()
    mesh.stop()
    assert time.monotonic() - began < PATIENCE


def test_a_kubeconfig_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"nothing\.yaml: this kubeconfig cannot be used"):
        connect(str(tmp_path / "nothing.yaml"))


def test_stopping_ends_every_thread(lonely: WireWorld, patient_stop: None) -> None:
    mesh = lonely.another_mesh()
    before = threading.active_count()
    mesh.start()
    until(lambda: not mesh.troubles())
    began = time.monotonic()
    mesh.stop()
    assert time.monotonic() - began < PATIENCE
    until(lambda: threading.active_count() <= before + WATCHES)
