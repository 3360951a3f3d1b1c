"""The account that a pod is given, on a real API server: found where it is, and followed when it changes."""

from __future__ import annotations

import shutil
import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from kubernetes.config import incluster_config, kube_config

from bot.errors import Transient
from bot.mesh.istio import IstioMesh
from bot.mesh.kube_api import connect
from tests.contract.mesh.conftest import a_namespace, bind_all
from tests.contract.mesh.test_mesh import FIFTY, FIVE, name_of, weights
from tests.contract.mesh.world import Reach, RealClock, WireWorld, an_order, the_target
from tests.contract.patience import until
from tests.parts.service_account import HOME, ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.contract.kubernetes.cluster import Cluster

SECRETS = f"/api/v1/namespaces/{HOME}/secrets"


@dataclass
class Pod:
    """What the kubelet gives a pod of one account, and the shop that it works in."""

    admin: httpx.Client
    account: ServiceAccount
    world: WireWorld
    folder: Path

    def __post_init__(self) -> None:
        self.bound_to = self._bound()
        self.token = self._token()
        self.written(self.token)

    def written(self, token: str) -> None:
        (self.folder / "token").write_text(token)

    def rotated(self) -> str:
        """Another token than the one that is used; it is not written yet."""
        return self.account.token()

    def revoke(self) -> None:
        """The token that is used ends, as when it expires; the server remembers for ten seconds that it was good."""
        self.admin.delete(f"{SECRETS}/{self.bound_to['name']}").raise_for_status()
        until(lambda: not self._is_known())

    def _is_known(self) -> bool:
        headers = {"Authorization": f"Bearer {self.token}"}
        path = f"/api/v1/namespaces/{self.world.namespace}/pods"
        return self.admin.get(path, params={"limit": 1}, headers=headers).status_code != 401

    def _bound(self) -> dict[str, Any]:
        made = self.admin.post(SECRETS, json={"metadata": {"name": f"life-{uuid.uuid4().hex[:8]}"}})
        metadata = made.raise_for_status().json()["metadata"]
        return {"kind": "Secret", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}

    def _token(self) -> str:
        return self.account.token(boundObjectRef=self.bound_to)


@pytest.fixture
def pod(kube_apiserver: Cluster, admin: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pod]:
    """As in a pod, but that the library looks into a folder of the test where it would look into /var/run/secrets."""
    account = ServiceAccount(admin, a_namespace())
    with closing(Reach(kube_apiserver, tmp_path)) as hands:
        world = WireWorld(hands, account.name)
        bind_all(account, account.name)
        assert kube_apiserver.ca_path
        shutil.copy(kube_apiserver.ca_path, tmp_path / "ca.crt")
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "nowhere"))
        at = urlsplit(kube_apiserver.url)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(at.hostname))
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(at.port))
        yield Pod(admin, account, world, tmp_path)


@pytest.fixture
def mesh(pod: Pod) -> Iterator[IstioMesh]:
    """An adapter in that pod, which watches the shop."""
    found = IstioMesh(connect(), RealClock(), namespaces=(pod.world.namespace,))
    found.start()
    until(lambda: not found.troubles())
    yield found
    found.stop()


def test_a_pod_finds_the_server_and_its_account_by_itself(pod: Pod, mesh: IstioMesh) -> None:
    assert mesh.ready_pods(pod.world.target()) == {"v1": 3, "v2": 2}
    mesh.set_route(name_of(pod.world), lambda: [an_order(pod.world, FIVE)])
    assert weights(pod.world) == {"v1": 95, "v2": 5}


def test_a_token_that_ended_is_followed_by_the_one_in_the_file_in_calls_and_watches(pod: Pod, mesh: IstioMesh) -> None:
    mesh.set_route(name_of(pod.world), lambda: [an_order(pod.world, FIVE)])
    pod.revoke()
    pod.written("")
    with pytest.raises(Transient, match="does not accept Sluice's credentials"):
        mesh.set_route(name_of(pod.world), lambda: [an_order(pod.world, FIFTY, 3, expected=FIVE)])
    end_watches(mesh)
    until(lambda: "refuses: it does not accept Sluice's credentials" in " ".join(mesh.troubles()))
    pod.written(pod.rotated())
    mesh.set_route(name_of(pod.world), lambda: [an_order(pod.world, FIFTY, 3, expected=FIVE)])
    assert weights(pod.world) == {"v1": 50, "v2": 50}
    until(lambda: not mesh.troubles())
    path = f"/api/v1/namespaces/{pod.world.namespace}/pods/reviews-v2-0"
    pod.world.cluster.delete(path, {"gracePeriodSeconds": 0})
    until(lambda: mesh.ready_pods(the_target(pod.world)) == {"v1": 3, "v2": 1})


def end_watches(mesh: IstioMesh) -> None:
    for source in mesh._cache._sources.values():
        assert source._stream is not None
        source._stream.shut()
