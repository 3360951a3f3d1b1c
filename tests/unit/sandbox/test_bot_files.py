"""What the bot is told is what the bot reads."""

import os
from pathlib import Path

import pytest
import yaml

from bot import profiles, settings
from bot.sandbox.bot_files import BotFiles, Neighbours
from bot.sandbox.slack.workspace import GROUPS, PEOPLE
from bot.slack import roles
from strategies.release import Role

NEIGHBOURS = Neighbours(
    kubernetes="http://127.0.0.1:1",
    kubernetes_token="t",
    prometheus="http://127.0.0.1:2",
    slack_api="http://127.0.0.1:3/api/",
    slack_bot_token="xoxb-1",
    slack_app_token="xapp-1",
)


@pytest.fixture
def files(tmp_path: Path) -> BotFiles:
    written = BotFiles(tmp_path)
    written.write(NEIGHBOURS)
    return written


def test_the_profile_is_one_the_bot_takes(files: BotFiles) -> None:
    (path,) = files.profiles.iterdir()
    profile = profiles.read(path.name, path.read_text())
    assert (profile.service, profile.namespace, len(profile.gates())) == ("reviews", "shop", 2)


def test_the_roles_name_people_and_groups_of_the_workspace(files: BotFiles) -> None:
    read = roles.read(files.roles.read_text(), "roles.yaml")
    known = {one.id for one in (*PEOPLE, *GROUPS)}
    assert all(read.holders(role) <= known for role in Role)
    assert read.holders(Role.RELEASER) == {"U0ALICE"}


def test_the_environment_is_complete_and_the_callers_own_settings_stay_out(
    files: BotFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_NOT_OURS", "1")
    environment = files.environment(NEIGHBOURS, 4711)
    assert "SLUICE_NOT_OURS" not in environment
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    loaded = settings.load(environment)
    assert (loaded.listen, loaded.cluster, loaded.namespaces) == ("127.0.0.1:4711", "sandbox", ("shop",))


def test_the_kubeconfig_leads_to_the_api_server_and_is_private(files: BotFiles) -> None:
    document = yaml.safe_load(files.kubeconfig.read_text())
    assert document["clusters"][0]["cluster"]["server"] == "http://127.0.0.1:1"
    assert files.kubeconfig.stat().st_mode & 0o077 == 0
