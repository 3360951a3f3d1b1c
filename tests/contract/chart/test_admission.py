"""What the chart renders is taken by a real API server, which knows every field."""

from __future__ import annotations

import uuid
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.chart.rendering import Helm, Object, Values, example
from tests.unit.deploy.files import documents

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Answer, Cluster

# The group and plural of each kind.
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Service": "/api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
# Everything that can be switched on beside each other, on PostgreSQL; the volume comes with the defaults.
EVERYTHING: Values = {
    **example(),
    "imagePullSecrets": [{"name": "registry"}],
    "slack": {"transport": "http"},
    "hooks": {"secret": "sluice-hooks"},
    "settings": {
        "hooks_hosts": ["smoke.example.com"],
        "evidence_days": 90,
        "namespaces": ["default"],
        "cluster": "a: 'b'",
    },
    "extraEnv": [
        {"name": "NO_PROXY", "value": ".svc,10.96.0.0/12"},
        {"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "proxy", "key": "url"}}},
    ],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "company-ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/sluice/ca", "readOnly": True}],
    "workloads": {"bound": True, "adopting": True},
    "networkPolicy": {"enabled": True, "from": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]},
    "priorityClassName": "system-cluster-critical",
    "podAnnotations": {"example.com/team": "42"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "sluice"}}}
            ]
        }
    },
}
SETS: dict[str, Values] = {"defaults": {}, "readme": example(), "everything": EVERYTHING}


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """One whose pods must keep to the strictest of the standards."""
    name = f"platform-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    return name


def tried(cluster: Cluster, document: Object) -> Answer:
    """The server's answer to creating it; nothing is kept."""
    path = PATHS[document["kind"]].format(document["metadata"].get("namespace"))
    return cluster.ask("POST", path, document, dryRun="All", fieldValidation="Strict")


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_every_object_is_taken_with_every_field(cluster: Cluster, namespace: str, helm: Helm, values: Values) -> None:
    answers = {each["kind"]: tried(cluster, each) for each in helm.rendered(values, namespace=namespace).objects}
    assert {kind: answer.body for kind, answer in answers.items() if answer.code != 201} == {}
    assert [answer.warnings for answer in answers.values() if answer.warnings] == []


def test_every_object_of_the_administrators_file_is_taken(cluster: Cluster, namespace: str) -> None:
    for document in documents("deploy/rbac.yaml"):
        if "namespace" in document["metadata"]:
            document["metadata"]["namespace"] = namespace
        # Another suite may have applied the file here.
        document["metadata"]["name"] += f"-of-{namespace}"
        answer = tried(cluster, document)
        assert (answer.code, answer.warnings) == (201, []), answer.body


def a_pod(rendered_pod: Any, namespace: str) -> Object:
    """The pod that the Deployment would make; no class of priority exists before an administrator makes it."""
    spec = deepcopy(rendered_pod)
    spec.pop("priorityClassName", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "sluice", "namespace": namespace}, "spec": spec}


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_pod_keeps_to_the_restricted_standard(cluster: Cluster, namespace: str, helm: Helm, values: Values) -> None:
    pod = a_pod(helm.rendered(values, namespace=namespace).pod, namespace)
    assert (tried(cluster, pod).code, tried(cluster, pod).warnings) == (201, [])
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    assert tried(cluster, pod).code == 403, "the server does hold pods to it"


def test_a_field_that_does_not_exist_would_be_refused(cluster: Cluster, namespace: str, helm: Helm) -> None:
    deployment = helm.rendered(namespace=namespace).one("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    assert "unknown field" in tried(cluster, deployment).body["message"]
