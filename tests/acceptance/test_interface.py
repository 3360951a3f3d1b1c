"""The sandbox for other programs: its JSON interface, and what it refuses by field, value and allowed values."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.conftest import Visit
from tests.acceptance.sandbox import Sandbox, descendants
from tests.parts import loopback

READY_KEYS = {
    *("page", "bot", "slack", "kubernetes", "kubeconfig", "prometheus", "envoy", "envoy_admin", "users", "stand_ins"),
}


def test_the_ready_file_says_where_everything_answers(sandbox: Sandbox) -> None:
    ready = sandbox.ready
    assert ready.keys() == READY_KEYS
    assert ready["users"]["alice"] == "U0ALICE"
    assert loopback.get(f"{ready['bot']}/readyz").json()["ready"] is True
    assert loopback.get(f"{ready['envoy']}/reviews/1", headers={"Host": "reviews:9080"}).status_code == 200
    assert loopback.get(f"{ready['envoy_admin']}/ready").status_code == 200
    assert "Slack" in ready["stand_ins"]


def test_the_route_is_read_by_any_kubernetes_client_with_the_kubeconfig(sandbox: Sandbox) -> None:
    from kubernetes import client, config  # noqa: PLC0415 - its import takes half a second of the other tests' time

    with config.new_client_from_config(sandbox.ready["kubeconfig"]) as api:  # type: ignore[no-untyped-call]
        place = ("networking.istio.io", "v1", "shop", "virtualservices", "reviews")
        found: Any = client.CustomObjectsApi(api).get_namespaced_custom_object(*place)
    assert found["spec"]["hosts"] == ["reviews"]


def test_a_preflight_is_answered_in_private_and_starts_nothing(sandbox: Sandbox, visit: Visit) -> None:
    alice = visit()
    alice.page.get_by_test_id("composer").press_sequentially("/release pref")
    expect(alice.page.get_by_role("option").first).to_contain_text("preflight")
    alice.type("/release preflight reviews v2")
    alice.told_privately("Preflight: reviews v1 → v2 · canary")
    alice.told_privately("requests an hour")
    expect(alice.page.get_by_test_id("yaml")).not_to_contain_text("subset: v2")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/knobs", {"version": "v9"}, "version"),
        ("/api/knobs", {"version": "v2", "error_rate": 2}, "error_rate"),
        ("/api/command", {"user": "eve", "text": "/release help"}, "user"),
        ("/api/command", {"user": "alice"}, "text"),
        ("/api/command", {"user": "alice", "text": "/poll x"}, "text"),
        ("/api/command", {"user": "alice", "text": "hi", "thread_ts": "1.0"}, "thread_ts"),
        ("/api/click", {"user": "alice", "ts": "1.0", "action_id": "release_approve"}, "ts"),
    ],
)
def test_bad_input_is_refused_by_field_value_and_what_is_allowed(
    sandbox: Sandbox, path: str, body: dict[str, Any], field: str
) -> None:
    answer = sandbox.post(path, **body)
    told = answer.json()
    assert (answer.status_code, told["field"], told["value"]) == (400, field, body.get(field))
    assert told["allowed"]


def test_a_body_that_is_no_json_object_is_refused(sandbox: Sandbox) -> None:
    for content in (b"{", b"[]", b"\xff", b"[" * 20_000):
        answer = loopback.post(
            f"{sandbox.page}/api/knobs", content=content, headers={"Content-Type": "application/json"}, timeout=5
        )
        assert (answer.status_code, answer.json()["field"]) == (400, "body")


def test_an_unknown_button_is_refused_with_the_ones_there_are(sandbox: Sandbox) -> None:
    sandbox.post("/api/command", user="alice", text="/release start reviews v2")
    sandbox.until(lambda: "canary 5 %" in sandbox.headline(), "the first stage")
    root = next(one for one in sandbox.messages() if one["blocks"])
    answer = sandbox.post("/api/click", user="bob", ts=root["ts"], action_id="release_explode")
    assert answer.status_code == 400
    assert "release_roll_back" in answer.json()["allowed"]
    sandbox.post("/api/click", user="carol", ts=root["ts"], action_id="release_roll_back")
    sandbox.until(lambda: "rolled back" in sandbox.headline(), "the rollback")


def test_an_unconfirmed_click_shows_its_dialog_and_does_nothing(sandbox: Sandbox) -> None:
    sandbox.post("/api/command", user="alice", text="/release start reviews v2")
    sandbox.until(lambda: "canary 5 %" in sandbox.headline(), "the first stage")
    root = [one for one in sandbox.messages() if one["blocks"] and one["thread_ts"] in (None, one["ts"])][-1]
    click = {"user": "bob", "ts": root["ts"], "action_id": "release_roll_back"}
    asked_back = sandbox.post("/api/click", **click, confirmed=False).json()
    assert asked_back["confirm"]["title"]["text"] == "Roll back?"
    assert "rol" not in sandbox.headline()
    sandbox.post("/api/click", **click)
    sandbox.until(lambda: "rolled back" in sandbox.headline(), "the rollback")


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_another_sites_page_is_turned_away(sandbox: Sandbox, header: dict[str, str]) -> None:
    answer = loopback.post(f"{sandbox.page}/api/knobs", json={"version": "v2", "dead": True}, headers=header)
    assert answer.status_code == 403
    assert sandbox.get("/api/state")["mesh"]["knobs"]["v2"]["dead"] is False


def test_a_bot_that_is_killed_comes_back_and_answers_again(sandbox: Sandbox) -> None:
    bots = [pid for pid in descendants(sandbox.process.pid) if _is_bot(pid)]
    assert len(bots) == 1
    os.kill(bots[0], signal.SIGKILL)
    sandbox.until(lambda: sandbox.get("/api/state")["bot"]["restarts"] == 1, "a second start")
    sandbox.until(lambda: sandbox.get("/api/state")["bot"]["standing"] == "ready", "a ready bot")
    sandbox.post("/api/command", user="alice", text="/release help start")
    sandbox.until(lambda: "/release start reviews" in json.dumps(sandbox.messages("alice")[-1]), "an answer")


def _is_bot(pid: int) -> bool:
    return b"\0bot\0run" in Path(f"/proc/{pid}/cmdline").read_bytes()
