"""The Helm chart: its environment is the settings', its doors are the bot's, its values are all used."""

import re
from typing import Any

import yaml

from bot.api.http import Readiness, application
from bot.profiles import read as read_profile
from bot.settings import SECRETS, Settings, variable
from bot.slack import roles
from tests.unit.deploy import chart
from tests.unit.deploy.files import documents, text

KNOWN = {variable(field) for field in Settings.model_fields} | {f"{variable(field)}_FILE" for field in SECRETS}


def container() -> dict[str, Any]:
    (found,) = chart.pod()["containers"]
    return dict(found)


def environment() -> dict[str, str]:
    return {each["name"]: str(each.get("value")) for each in container()["env"] if each["name"] != "SLUICE_open"}


def example() -> dict[str, Any]:
    block = re.search(r"```yaml\n\s*# sluice-values.yaml\n(.*?)```", text("README.md"), re.DOTALL)
    assert block is not None
    found: dict[str, Any] = yaml.safe_load(block[1])
    return found


def test_every_template_is_yaml_with_a_kind_and_a_name() -> None:
    objects = [each for template in chart.templates().values() for each in chart.skeleton(template)]
    kinds = [each["kind"] for each in objects if each["metadata"]["name"] and each["apiVersion"]]
    wanted = [
        "ClusterRoleBinding",
        "ClusterRoleBinding",
        "ConfigMap",
        "ConfigMap",
        "Deployment",
        "PersistentVolumeClaim",
        "Service",
        "ServiceMonitor",
    ]
    assert sorted(kinds) == wanted


def test_every_variable_of_the_pod_is_a_setting() -> None:
    assert environment().keys() <= KNOWN
    assert {"SLUICE_DATABASE", "SLUICE_ROLES", "SLUICE_PROFILES", "SLUICE_LISTEN"} <= environment().keys()


def test_settings_of_the_values_are_settings_that_the_template_does_not_set() -> None:
    for settings in (chart.values()["settings"], example()["settings"]):
        assert {f"SLUICE_{name.upper()}" for name in settings} <= KNOWN - environment().keys()


def test_every_value_that_a_template_asks_for_has_a_default() -> None:
    for path in chart.references():
        found: Any = chart.values()
        for part in path.split("."):
            assert part in found, path
            found = found[part]


def test_every_default_is_asked_for_by_a_template() -> None:
    assert chart.values().keys() == {path.partition(".")[0] for path in chart.references()}


def test_files_of_the_environment_lie_in_mounted_volumes() -> None:
    mounts = {each["mountPath"]: each["name"] for each in container()["volumeMounts"]}
    files = [value for name, value in environment().items() if name.endswith(("_FILE", "_ROLES", "_PROFILES"))]
    assert files
    assert all(any(value == path or value.startswith(f"{path}/") for path in mounts) for value in files)
    assert set(mounts.values()) == {each["name"] for each in chart.pod()["volumes"]}


def test_probes_ask_doors_that_the_bot_has() -> None:
    doors = {getattr(route, "path", "") for route in application(lambda: Readiness(True), lambda: 0, None).routes}
    asked = {container()[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    (monitor,) = chart.skeleton(chart.templates()["servicemonitor.yaml"])
    assert asked | {monitor["spec"]["endpoints"][0]["path"]} == {"/healthz", "/readyz", "/metrics"} & doors


def test_the_port_is_the_one_that_is_listened_on() -> None:
    (port,) = container()["ports"]
    assert environment()["SLUICE_LISTEN"].endswith(f":{port['containerPort']}")


def test_the_pod_has_no_more_rights_than_it_needs() -> None:
    assert chart.pod()["securityContext"]["runAsNonRoot"] is True
    own = container()["securityContext"]
    assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
    assert own["capabilities"] == {"drop": ["ALL"]}


def test_services_of_the_namespace_add_no_variables() -> None:
    assert chart.pod()["enableServiceLinks"] is False


def test_the_account_is_the_one_that_the_role_is_bound_to() -> None:
    accounts = [each["metadata"]["name"] for each in documents("deploy/rbac.yaml") if each["kind"] == "ServiceAccount"]
    assert accounts == [chart.values()["serviceAccount"]]


def test_roles_and_profiles_of_the_values_are_read_by_the_bot() -> None:
    for given in (chart.values(), example()):
        assert roles.read(yaml.safe_dump(given["roles"]), "roles.yaml").ids
        for name, profile in given["profiles"].items():
            assert read_profile(f"{name}.yaml", yaml.safe_dump(profile)).service == name


def test_the_example_overrides_values_that_exist() -> None:
    assert example().keys() <= chart.values().keys()


def test_the_chart_and_the_package_have_one_version() -> None:
    (about,) = documents("deploy/chart/Chart.yaml")
    assert f'\nversion = "{about["appVersion"]}"\n' in text("pyproject.toml")
