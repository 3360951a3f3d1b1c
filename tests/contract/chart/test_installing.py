"""The README's steps on a real API server: Secrets, and the chart by the commands as they stand there."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.contract.chart.pods import SECRETS
from tests.contract.chart.rendering import Helm, RefusedByHelm, Values, example
from tests.contract.kubernetes.cluster import APPLY
from tests.unit.deploy.files import text

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.kubernetes.cluster import Cluster
    from tests.parts.kube_apiserver import KubeApiServer

STEPS = text("README.md").partition("## Run it on a cluster")[2].partition("\n## ")[0]


class Installation:
    """A namespace after steps 3 to 5, and the README's own commands in it."""

    def __init__(self, helm: Helm, cluster: Cluster, kubeconfig: Path) -> None:
        self._helm = helm
        self._cluster = cluster
        self._kubeconfig = str(kubeconfig)
        self._namespace = f"installed-{uuid.uuid4().hex[:8]}"
        cluster.create("/api/v1/namespaces", {"metadata": {"name": self._namespace}})
        for name, data in SECRETS.items():
            cluster.create(self.path("/api/v1", "secrets"), {"metadata": {"name": name}, "stringData": data})

    def path(self, api: str, plural: str, name: str = "") -> str:
        """Where the server keeps an object of this installation."""
        return f"{api}/namespaces/{self._namespace}/{plural}{name and '/'}{name}"

    def command(self, verb: str, values: Values | None = None) -> str:
        """What the command says that the README begins with `helm` and this verb."""
        found = re.search(rf"`helm ({verb} [^`]+)`", STEPS)
        assert found is not None, verb
        path = self._helm.written(values or {})
        own = {"sluice-values.yaml": path}
        words = [own.get(word, word) for word in found[1].split()]
        words[words.index("-n") + 1] = self._namespace
        return self._helm.run(*words, KUBECONFIG=self._kubeconfig)

    def is_kept(self, api: str, plural: str, name: str) -> bool:
        """True when it is there and nobody has asked that it goes."""
        answer = self._cluster.ask("GET", self.path(api, plural, name))
        return answer.code == 200 and "deletionTimestamp" not in answer.body["metadata"]

    def deployment(self) -> dict[str, Any]:
        """The Deployment as the server keeps it."""
        return self._cluster.get(self.path("/apis/apps/v1", "deployments", "sluice"))

    def profiles(self) -> dict[str, str]:
        """The files of the profiles as the server keeps them."""
        found: dict[str, str] = self._cluster.get(self.path("/api/v1", "configmaps", "sluice-profiles"))["data"]
        return found

    def applied(self, deployment: dict[str, Any]) -> dict[str, Any]:
        """What `kubectl apply --server-side` would make of it; nothing is kept."""
        query = {"dryRun": "All", "fieldManager": "helm", "fieldValidation": "Strict", "force": "true"}
        path = self.path("/apis/apps/v1", "deployments", "sluice")
        return self._cluster.patch(path, yaml.safe_dump(deployment), media=APPLY, **query)


@pytest.fixture
def installation(real_api_server: KubeApiServer, cluster: Cluster, helm: Helm) -> Installation:
    return Installation(helm, cluster, real_api_server.kubeconfig_path)


def test_the_secrets_that_the_readme_makes_are_those_that_the_pod_mounts() -> None:
    made = re.findall(r"create secret generic (\S+)((?:[\s\\]+--from-file=\S+)+)", STEPS)
    keys = {name: set(re.findall(r"--from-file=([\w-]+)=", files)) for name, files in made}
    assert keys == {"sluice-slack": {"bot-token", "app-token"}, "sluice-database": {"url"}}
    assert all(names <= SECRETS[secret].keys() for secret, names in keys.items())


def test_the_steps_of_the_readme_install_change_and_take_away(installation: Installation) -> None:
    told = installation.command("upgrade", example())
    for line in ("port-forward deploy/sluice 8080", "/readyz", "/release plan <service> <version>"):
        assert line in told
    assert installation.deployment()["spec"]["replicas"] == 2
    assert yaml.safe_load(installation.profiles()["reviews.yaml"]) == example()["profiles"]["reviews"]
    installation.command("upgrade", {"replicas": 1})  # the same release goes over to a volume
    assert installation.deployment()["spec"]["strategy"] == {"type": "Recreate"}
    assert not installation.is_kept("/apis/policy/v1", "poddisruptionbudgets", "sluice")
    installation.command("uninstall")
    assert not installation.is_kept("/apis/apps/v1", "deployments", "sluice")
    assert installation.is_kept("/api/v1", "persistentvolumeclaims", "sluice")


def test_only_what_the_process_is_told_replaces_its_pods(installation: Installation) -> None:
    installation.command("upgrade", example())
    before = installation.deployment()["spec"]["template"]
    values = example()
    values["profiles"]["reviews"]["quorum"] = 2
    values["roles"]["on_call"] = ["U0ALICE"]
    installation.command("upgrade", values)
    assert "quorum: 2" in installation.profiles()["reviews.yaml"]
    assert installation.deployment()["spec"]["template"] == before
    values["settings"]["timezone"] = "UTC"
    installation.command("upgrade", values)
    assert installation.deployment()["spec"]["template"] != before


def test_helm_template_gives_the_same_manifests(installation: Installation) -> None:
    rendered = [each for each in yaml.safe_load_all(installation.command("template", example())) if each]
    installation.command("upgrade", example())
    kept = {each["metadata"]["name"] for each in rendered if each["kind"] == "ConfigMap"}
    assert kept == {"sluice-profiles", "sluice-roles"}
    (deployment,) = (each for each in rendered if each["kind"] == "Deployment")
    assert installation.applied(deployment)["spec"] == installation.deployment()["spec"]


def test_a_refused_upgrade_leaves_what_runs(installation: Installation) -> None:
    installation.command("upgrade", example())
    before = installation.deployment()
    with pytest.raises(RefusedByHelm, match="replicas: more than one needs PostgreSQL"):
        installation.command("upgrade", {"replicas": 2})
    assert installation.deployment() == before
