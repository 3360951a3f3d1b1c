"""Uploads by the three calls, and the moment in which a file is not yet one."""

import urllib.request
from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.sandbox.slack import Fault, FaultKind, SlackThread
from tests.contract.patience import PATIENCE
from tests.contract.slack.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = "C0RELEASES"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def picture(file_id: str) -> list[dict[str, object]]:
    return [{"type": "image", "slack_file": {"id": file_id}, "alt_text": "chart"}]


def test_a_picture_uploaded_into_a_thread_shows_there_a_moment_later(
    slack: SlackThread, web: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    due: list[tuple[float, Callable[[], object]]] = []
    monkeypatch.setattr(slack.stand_in.state, "later", lambda seconds, act: due.append((seconds, act)))
    root = str(web.chat_postMessage(channel=ROOM, text="root")["ts"])
    done = web.files_upload_v2(
        channel=ROOM, thread_ts=root, filename="chart.png", content=PNG, alt_txt="pass", initial_comment="stage 1"
    )
    assert slack.stand_in.messages("bob", ROOM)[-1]["text"] == "root"
    ((seconds, show),) = due
    assert seconds == slack.stand_in.settings.files_ready_after
    slack.read(show)
    reply = slack.stand_in.messages("bob", ROOM)[-1]
    assert (reply["thread_ts"], reply["text"]) == (root, "stage 1")
    assert (reply["files"][0]["id"], reply["files"][0]["alt_txt"]) == (done["file"]["id"], "pass")


def test_a_file_has_no_mimetype_until_slack_is_done_with_it(web: WebClient, clock: Clock) -> None:
    file_id = web.files_upload_v2(filename="chart.png", content=PNG)["file"]["id"]
    assert web.files_info(file=file_id)["file"]["mimetype"] == ""
    clock.ahead = 1
    assert web.files_info(file=file_id)["file"]["mimetype"] == "image/png"


def test_a_block_that_shows_a_file_too_early_is_refused_and_later_taken(web: WebClient, clock: Clock) -> None:
    file_id = web.files_upload_v2(filename="chart.png", content=PNG)["file"]["id"]
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel=ROOM, text="x", blocks=picture(file_id))
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"
    ]
    clock.ahead = 1
    assert web.chat_postMessage(channel=ROOM, text="x", blocks=picture(file_id))["ok"]


def test_uploaded_bytes_come_back_to_the_bot_and_to_the_page(slack: SlackThread, web: WebClient) -> None:
    file_id = web.files_upload_v2(filename="chart.png", content=PNG)["file"]["id"]
    private = web.files_info(file=file_id)["file"]["url_private"]
    request = urllib.request.Request(private, headers={"Authorization": f"Bearer {web.token}"})
    for wanted in (request, f"{slack.stand_in.state.base_url}/sandbox/files/{file_id}"):
        with urllib.request.urlopen(wanted, timeout=PATIENCE) as answer:
            assert answer.read() == PNG


def test_a_file_whose_bytes_never_came_cannot_be_completed(web: WebClient) -> None:
    reserved = web.files_getUploadURLExternal(filename="chart.png", length=3)
    with pytest.raises(SlackApiError, match="file_not_found"):
        web.files_completeUploadExternal(files=[{"id": reserved["file_id"], "title": "x"}])


def test_an_upload_that_slack_refuses_is_not_completed(slack: SlackThread, web: WebClient) -> None:
    slack.read(lambda: slack.stand_in.faults.add(Fault(kind=FaultKind.STATUS, methods=frozenset({"upload"}))))
    with pytest.raises((SlackRequestError, OSError)) as failed:
        web.files_upload_v2(filename="chart.png", content=PNG, channel=ROOM)
    if hasattr(failed.value, "close"):
        failed.value.close()
    assert slack.stand_in.messages("bob", ROOM) == []
