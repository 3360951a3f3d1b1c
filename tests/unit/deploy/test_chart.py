"""The Helm chart by its files alone: its values may be what the bot takes. `tests/contract/chart` renders it."""

import json
import re
import tomllib
from typing import Any

import jsonschema
import pytest
import yaml

from bot.metrics.queries import Reporter
from bot.profiles import Profile
from bot.profiles import read as read_profile
from bot.settings import SECRETS, LogFormat, Settings, Transport
from bot.slack import roles
from strategies.release import Role
from tests.unit.deploy.files import ROOT, documents, text

SCHEMA: dict[str, Any] = json.loads(text("deploy/chart/values.schema.json"))
# What the template sets itself, or what has no place in a pod.
NOT_OF_VALUES = {"database", "profiles", "roles", "kubeconfig", "kube_context", "slack_transport", "listen", *SECRETS}


def values() -> dict[str, Any]:
    (found,) = documents("deploy/chart/values.yaml")
    return found


def example() -> dict[str, Any]:
    block = re.search(r"```yaml\n\s*# sluice-values.yaml\n(.*?)```", text("README.md"), re.DOTALL)
    assert block is not None
    found: dict[str, Any] = yaml.safe_load(block[1])
    return found


def allowed(*path: str) -> dict[str, Any]:
    """What the schema says of the keys below a value."""
    found = SCHEMA
    for name in path:
        found = found["properties"][name]
    known: dict[str, Any] = found["properties"]
    return known


def references() -> set[str]:
    """Every value that a template asks for, as a dotted path."""
    templates = (ROOT / "deploy" / "chart" / "templates").iterdir()
    return {path for each in templates for path in re.findall(r"\.Values\.([\w.]+)", each.read_text(encoding="utf-8"))}


def test_every_value_that_a_template_asks_for_may_be_given() -> None:
    for path in references():
        assert path.split(".")[-1] in allowed(*path.split(".")[:-1]), path


def test_every_value_has_a_default_and_is_asked_for_by_a_template() -> None:
    assert allowed().keys() == values().keys() == {path.partition(".")[0] for path in references()}


def test_a_key_that_is_not_known_is_answered_with_those_that_are() -> None:
    known = SCHEMA["properties"]
    for closed in (SCHEMA, known["settings"], known["roles"], SCHEMA["definitions"]["profile"]):
        assert closed["additionalProperties"] is False
        assert closed["propertyNames"]["enum"] == list(closed["properties"])


def test_what_may_be_set_is_every_setting_that_the_template_does_not_set() -> None:
    assert allowed("settings").keys() == Settings.model_fields.keys() - NOT_OF_VALUES


def test_words_to_choose_from_are_those_of_the_bot() -> None:
    settings = allowed("settings")
    assert set(settings["log"]["enum"]) - {""} == set(LogFormat)
    assert set(settings["reporter"]["enum"]) - {""} == set(Reporter)
    assert set(allowed("slack")["transport"]["enum"]) == set(Transport)


def test_roles_and_keys_of_profiles_are_those_of_the_bot() -> None:
    assert allowed("roles").keys() == set(Role)
    profile = SCHEMA["definitions"]["profile"]
    assert profile["properties"].keys() == Profile.model_fields.keys()
    assert set(profile["required"]) == {name for name, info in Profile.model_fields.items() if info.is_required()}


def test_days_of_evidence_are_bounded_as_the_bot_bounds_them() -> None:
    field = Settings.model_json_schema()["properties"]["evidence_days"]
    bounds = ("type", "minimum", "maximum")
    assert [allowed("settings")["evidence_days"][each] for each in bounds] == [field[each] for each in bounds]


@pytest.mark.parametrize("given", [values(), example()], ids=["defaults", "readme"])
def test_roles_and_profiles_of_the_values_are_read_by_the_bot(given: dict[str, Any]) -> None:
    jsonschema.validate(given, SCHEMA)
    assert roles.read(yaml.safe_dump(given["roles"]), "roles.yaml").ids
    for name, profile in given["profiles"].items():
        assert read_profile(f"{name}.yaml", yaml.safe_dump(profile)).service == name


def test_the_account_is_the_one_that_the_role_is_bound_to() -> None:
    accounts = [each["metadata"]["name"] for each in documents("deploy/rbac.yaml") if each["kind"] == "ServiceAccount"]
    assert accounts == [values()["serviceAccount"]]


def test_the_chart_and_the_package_have_one_version() -> None:
    (about,) = documents("deploy/chart/Chart.yaml")
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert (about["version"], about["appVersion"]) == (version, version)
    assert f"/sluice:{version} " in text("README.md")
