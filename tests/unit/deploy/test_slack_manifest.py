"""The Slack app: the scopes of the methods that are called, the command, the shortcut and the events."""

import re
from typing import Any

from bot.sandbox.slack.call import Methods
from bot.sandbox.slack.chat_methods import CHAT_METHODS
from bot.sandbox.slack.file_methods import FILE_METHODS
from bot.sandbox.slack.reading_methods import READING_METHODS
from bot.settings import Settings
from bot.slack.guide import TOPICS
from bot.slack.listeners import SHORTCUT
from tests.unit.deploy.files import documents, sources, text

METHODS: Methods = {**CHAT_METHODS, **FILE_METHODS, **READING_METHODS}
# The SDK's upload is two methods of the Web API.
UPLOAD = ("files.getUploadURLExternal", "files.completeUploadExternal")
EVENTS = {"app_mention": "app_mentions:read"}


def manifest() -> dict[str, Any]:
    (found,) = documents("deploy/slack-manifest.yaml")
    return found


def called() -> set[str]:
    names = {name for source in sources("bot/slack").values() for name in re.findall(r"\b_?web\.([a-z]+_\w+)", source)}
    names -= {"base_url"}
    plain = {name.replace("_", ".") for name in names - {"files_upload_v2"}}
    return plain | set(UPLOAD if "files_upload_v2" in names else ())


def events() -> set[str]:
    return set(re.findall(r'app\.event\("(\w+)"\)', text("bot/slack/listeners.py")))


def test_the_app_has_the_scopes_of_what_is_called_and_no_other() -> None:
    needed = {METHODS[name].scope for name in called()} - {None}
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == {
        *needed,
        *(EVENTS[name] for name in events()),
        "commands",
    }


def test_the_app_subscribes_to_the_events_that_are_listened_to() -> None:
    assert set(manifest()["settings"]["event_subscriptions"]["bot_events"]) == events()


def test_the_command_is_the_default_of_the_settings() -> None:
    (command,) = manifest()["features"]["slash_commands"]
    assert command["command"] == Settings.model_fields["slack_command"].default


def test_the_usage_hint_names_real_subcommands() -> None:
    hint = manifest()["features"]["slash_commands"][0]["usage_hint"]
    assert {part.split()[0] for part in hint.split(" | ")} <= TOPICS.keys()


def test_the_shortcut_is_the_one_that_is_listened_to() -> None:
    assert [each["callback_id"] for each in manifest()["features"]["shortcuts"]] == [SHORTCUT]


def test_buttons_and_the_default_transport_work_as_installed() -> None:
    settings = manifest()["settings"]
    assert settings["interactivity"]["is_enabled"] is True
    assert settings["socket_mode_enabled"] is (Settings.model_fields["slack_transport"].default == "socket")


def test_texts_fit_into_what_slack_takes() -> None:
    found = manifest()
    assert len(found["display_information"]["name"]) <= 35
    assert len(found["display_information"]["description"]) <= 140
    assert all(len(each["name"]) <= 24 and len(each["description"]) <= 150 for each in found["features"]["shortcuts"])
