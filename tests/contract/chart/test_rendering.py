"""What the chart makes of its values, by a real Helm."""

from __future__ import annotations

from typing import Any

import pytest

from bot.api.http import Readiness, application
from tests.contract.chart.rendering import CHART, Helm, Rendered, Values, example
from tests.unit.deploy.files import documents, text

POSTGRES: Values = {"database": {"secret": "sluice-database"}}
HOOKED: Values = {"hooks": {"secret": "sluice-hooks"}, "settings": {"hooks_hosts": ["smoke.example.com", "b.example"]}}
SCRAPER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
# For each value another one than its default, and the object that it changes.
ALTERNATIVES: dict[str, tuple[Any, str]] = {
    "image.repository": ("registry.example.com/other", "Deployment"),
    "image.tag": ("0.1.0@sha256:0123", "Deployment"),
    "image.pullPolicy": ("Always", "Deployment"),
    "imagePullSecrets": ([{"name": "registry"}], "Deployment"),
    "replicas": (0, "Deployment"),
    "database.secret": ("sluice-database", "Deployment"),
    "database.sqlite.size": ("5Gi", "PersistentVolumeClaim"),
    "database.sqlite.storageClass": ("fast", "PersistentVolumeClaim"),
    "slack.secret": ("other", "Deployment"),
    "slack.transport": ("http", "Deployment"),
    "settings.cluster": ('it\'s "EU", 1', "Deployment"),
    "settings.prometheus_url": ("http://prometheus:9090", "Deployment"),
    "settings.slack_channel": ("C1", "Deployment"),
    "settings.timezone": ("Europe/Berlin", "Deployment"),
    "settings.log": ("text", "Deployment"),
    "roles.releaser": (["U1"], "ConfigMap"),
    "roles.approver": (["S1"], "ConfigMap"),
    "roles.override": ("U1", "ConfigMap"),
    "roles.on_call": (["U1", "U2"], "ConfigMap"),
    "profiles": ({"reviews": {"service": "reviews", "namespace": "shop"}}, "ConfigMap"),
    "extraEnv": ([{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}], "Deployment"),
    "extraVolumes": ([{"name": "ca", "configMap": {"name": "company-ca"}}], "Deployment"),
    "extraVolumeMounts": ([{"name": "ca", "mountPath": "/etc/sluice/ca", "readOnly": True}], "Deployment"),
    "serviceAccount": ("other", "Deployment"),
    "workloads.bound": (True, "ClusterRoleBinding"),
    "workloads.adopting": (True, "ClusterRoleBinding"),
    "resources.requests.cpu": ("1", "Deployment"),
    "resources.requests.memory": ("1Gi", "Deployment"),
    "resources.limits.memory": ("2Gi", "Deployment"),
    "serviceMonitor.enabled": (True, "ServiceMonitor"),
    "networkPolicy.enabled": (True, "NetworkPolicy"),
    "priorityClassName": ("system-cluster-critical", "Deployment"),
    "podAnnotations": ({"example.com/team": "42"}, "Deployment"),
    "nodeSelector": ({"disk": "ssd"}, "Deployment"),
    "tolerations": ([{"key": "spot", "operator": "Exists"}], "Deployment"),
    "affinity": ({"nodeAffinity": {}}, "Deployment"),
}
# These say nothing by themselves.
WITH_ANOTHER: dict[str, tuple[Values, str]] = {
    "hooks.secret": (HOOKED, "Deployment"),
    "serviceMonitor.labels": ({"serviceMonitor": {"enabled": True, "labels": {"release": "x"}}}, "ServiceMonitor"),
    "networkPolicy.from": ({"networkPolicy": {"enabled": True, "from": [SCRAPER]}}, "NetworkPolicy"),
}


def leaves(values: Values, path: str = "") -> set[str]:
    """The dotted path of every value that is no further mapping."""
    found: set[str] = set()
    for name, value in values.items():
        found |= leaves(value, f"{path}{name}.") if isinstance(value, dict) and value else {f"{path}{name}"}
    return found


def at(path: str, value: Any) -> Values:
    """Values that say this one thing."""
    for name in reversed(path.split(".")):
        value = {name: value}
    found: Values = value
    return found


def test_every_value_is_tried_with_another_than_its_default() -> None:
    (defaults,) = documents("deploy/chart/values.yaml")
    assert leaves(defaults) == ALTERNATIVES.keys() | WITH_ANOTHER.keys()


@pytest.mark.parametrize("path", [*ALTERNATIVES, *WITH_ANOTHER])
def test_every_value_changes_the_object_that_it_speaks_of_and_no_other(
    helm: Helm, defaults: Rendered, path: str
) -> None:
    value, kind = ALTERNATIVES.get(path, (None, ""))
    values, kind = WITH_ANOTHER.get(path, (at(path, value), kind))
    changed = [each["kind"] for each in helm.rendered(values).objects if each not in defaults.objects]
    assert changed == [kind]


def test_the_defaults_are_one_replica_and_its_volume(defaults: Rendered) -> None:
    assert defaults.kinds() == ["ConfigMap", "ConfigMap", "Deployment", "PersistentVolumeClaim", "Service"]
    assert (defaults.deployment["replicas"], defaults.deployment["strategy"]) == (1, {"type": "Recreate"})
    assert defaults.environment["SLUICE_DATABASE"] == "sqlite:////var/lib/sluice/sluice.db"


def test_the_values_of_the_readme_are_two_replicas_that_are_spread_and_drained_one_by_one(helm: Helm) -> None:
    rendered = helm.rendered(example())
    assert rendered.kinds() == ["ConfigMap", "ConfigMap", "Deployment", "PodDisruptionBudget", "Service"]
    assert (rendered.deployment["replicas"], rendered.deployment["strategy"]) == (2, {"type": "RollingUpdate"})
    (spread,) = rendered.pod["topologySpreadConstraints"]
    budget = rendered.one("PodDisruptionBudget")["spec"]
    assert spread["labelSelector"] == budget["selector"] == rendered.deployment["selector"]
    assert rendered.container["image"] == "registry.example.com/sluice:0.1.0"


def test_lint_finds_nothing(helm: Helm) -> None:
    said = helm.run("lint", "--strict", str(CHART), "-f", helm.written(example()))
    assert "0 chart(s) failed" in said
    assert "[WARNING]" not in said


def test_two_releases_of_one_namespace_share_no_object(helm: Helm) -> None:
    values: Values = {**example(), "workloads": {"bound": True, "adopting": True}, "networkPolicy": {"enabled": True}}
    first, second = (helm.rendered(values, name=name) for name in ("sluice", "sluice-profiles"))
    assert first.names() & second.names() == set()
    assert first.deployment["selector"] != second.deployment["selector"]


def test_one_name_in_two_namespaces_shares_no_object(helm: Helm) -> None:
    values: Values = {"workloads": {"bound": True, "adopting": True}}
    first, second = (helm.rendered(values, namespace=namespace).names() for namespace in ("sluice", "other"))
    assert {kind for kind, _, _ in first} >= {"ClusterRoleBinding"}
    assert first & second == set()


def test_signed_http_takes_its_secret_and_lets_the_last_requests_in(helm: Helm, defaults: Rendered) -> None:
    rendered = helm.rendered({"slack": {"transport": "http"}})
    assert rendered.environment["SLUICE_SLACK_SIGNING_SECRET_FILE"] == "/etc/sluice/slack/signing-secret"
    assert "SLUICE_SLACK_APP_TOKEN_FILE" not in rendered.environment
    waits = int(rendered.container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert 0 < waits < rendered.pod["terminationGracePeriodSeconds"] / 2
    assert "lifecycle" not in defaults.container


def test_a_database_of_its_own_takes_the_place_of_the_volume(helm: Helm) -> None:
    rendered = helm.rendered(POSTGRES)
    assert "PersistentVolumeClaim" not in rendered.kinds()
    wanted = {"secretKeyRef": {"name": "sluice-database", "key": "url"}}
    assert rendered.environment["SLUICE_DATABASE"] == wanted
    assert all("persistentVolumeClaim" not in volume for volume in rendered.pod["volumes"])


@pytest.mark.parametrize(("key", "role"), [("bound", "sluice-workloads"), ("adopting", "sluice-adopt")])
def test_a_binding_gives_a_role_of_the_administrators_file_to_the_account(helm: Helm, key: str, role: str) -> None:
    rendered = helm.rendered({"workloads": {key: True}, "serviceAccount": "mover"}, namespace="tools")
    binding = rendered.one("ClusterRoleBinding")
    roles = [each["metadata"]["name"] for each in documents("deploy/rbac.yaml") if each["kind"] == "ClusterRole"]
    assert binding["roleRef"]["name"] == role in roles
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "mover", "namespace": "tools"}]
    assert rendered.pod["serviceAccountName"] == "mover"


@pytest.mark.parametrize("named", [["shop", "checkout", "shop"], "shop, checkout"])
def test_rights_over_workloads_end_where_sluice_watches(helm: Helm, named: list[str] | str) -> None:
    rendered = helm.rendered({"settings": {"namespaces": named}, "workloads": {"bound": True, "adopting": True}})
    bindings = [each for each in rendered.objects if each["kind"].endswith("Binding")]
    assert {each["kind"] for each in bindings} == {"RoleBinding"}
    assert [(each["metadata"]["namespace"], each["roleRef"]["name"]) for each in bindings] == [
        (namespace, role) for role in ("sluice-workloads", "sluice-adopt") for namespace in ("shop", "checkout")
    ]


def test_what_is_scraped_is_the_port_of_the_service(helm: Helm) -> None:
    rendered = helm.rendered({"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}})
    monitor, service = rendered.one("ServiceMonitor"), rendered.one("Service")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,), (port,) = monitor["spec"]["endpoints"], service["spec"]["ports"]
    assert endpoint["port"] == port["name"]


def test_the_service_leads_to_the_port_that_is_listened_on(defaults: Rendered) -> None:
    service = defaults.one("Service")["spec"]
    (port,), (door,) = defaults.container["ports"], service["ports"]
    assert defaults.environment["SLUICE_LISTEN"] == f"0.0.0.0:{port['containerPort']}"
    assert door["targetPort"] == port["name"]
    assert service["selector"].items() <= defaults.deployment["template"]["metadata"]["labels"].items()


def test_probes_ask_doors_that_the_bot_has(helm: Helm) -> None:
    rendered = helm.rendered({"serviceMonitor": {"enabled": True}})
    doors = {getattr(route, "path", "") for route in application(lambda: Readiness(True), lambda: 0, None).routes}
    asked = {rendered.container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    scraped = {each["path"] for each in rendered.one("ServiceMonitor")["spec"]["endpoints"]}
    assert asked | scraped == {"/healthz", "/readyz", "/metrics"} & doors


def test_only_those_who_are_named_reach_the_port(helm: Helm) -> None:
    closed = helm.rendered({"networkPolicy": {"enabled": True}}).one("NetworkPolicy")["spec"]
    opened = helm.rendered({"networkPolicy": {"enabled": True, "from": [SCRAPER]}}).one("NetworkPolicy")["spec"]
    assert "ingress" not in closed
    assert opened["ingress"] == [{"from": [SCRAPER], "ports": [{"port": "http"}]}]
    assert closed["policyTypes"] == opened["policyTypes"] == ["Ingress"]


def test_the_image_is_built_for_the_pod_that_runs_it(defaults: Rendered) -> None:
    final = text("deploy/Dockerfile").rsplit("\nFROM ", 1)[1]
    context = defaults.pod["securityContext"]
    mounts = {each["name"]: each["mountPath"] for each in defaults.container["volumeMounts"]}
    assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in final
    assert f"sqlite:///{mounts['state']}/" in final
    assert f'VOLUME ["{mounts["state"]}"]' in final


def test_services_of_the_namespace_add_no_variables(defaults: Rendered) -> None:
    assert defaults.pod["enableServiceLinks"] is False
