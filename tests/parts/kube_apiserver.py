"""A real kube-apiserver on loopback with Istio's CRDs."""

from __future__ import annotations

import contextlib
import secrets
import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import yaml

from tests.parts.etcd import running_etcd
from tests.parts.istio_definitions import istio_definitions
from tests.parts.kube_apiserver_build import kube_apiserver_binary
from tests.parts.processes import PartFailedError, free_ports, running
from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEFINITIONS = ("virtualservices.networking.istio.io", "destinationrules.networking.istio.io")
DEFINITIONS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class KubeApiServer:
    """Where it listens and who may speak: `token` is cluster-admin, `stranger_token` has no rights."""

    url: str
    token: str
    stranger_token: str
    ca_path: Path
    kubeconfig_path: Path


@contextlib.contextmanager
def running_kube_apiserver(folder: Path) -> Iterator[KubeApiServer]:
    """Yield a server whose VirtualService and DestinationRule are `Established`; all its files are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    binary = kube_apiserver_binary()
    with running_etcd(folder) as etcd:
        server = _described(folder, port=free_ports(1)[0])
        command = [str(binary), *_flags(folder, etcd=etcd, server=server)]
        ready = _readiness(server)
        with running(command, log=folder / "kube-apiserver.log", ready=ready):
            _install_definitions(server)
            yield server


def _described(folder: Path, *, port: int) -> KubeApiServer:
    server = KubeApiServer(
        url=f"https://127.0.0.1:{port}",
        token=secrets.token_hex(16),
        stranger_token=secrets.token_hex(16),
        ca_path=folder / "certs" / "apiserver.crt",
        kubeconfig_path=folder / "kubeconfig.yaml",
    )
    (folder / "tokens.csv").write_text(
        f'{server.token},admin,admin,"system:masters"\n{server.stranger_token},stranger,stranger\n'
    )
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True, timeout=PATIENCE)
    server.kubeconfig_path.write_text(yaml.safe_dump(_kubeconfig(server)))
    return server


def _kubeconfig(server: KubeApiServer) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "part",
                "cluster": {"server": server.url, "certificate-authority": str(server.ca_path)},
            }
        ],
        "users": [{"name": "part", "user": {"token": server.token}}],
        "contexts": [{"name": "part", "context": {"cluster": "part", "user": "part"}}],
        "current-context": "part",
    }


def _flags(folder: Path, *, etcd: str, server: KubeApiServer) -> list[str]:
    key = folder / "accounts.key"
    return [
        f"--etcd-servers={etcd}",
        f"--secure-port={server.url.rsplit(':', 1)[1]}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={server.ca_path.parent}",
        "--authorization-mode=RBAC",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        # No controller makes service accounts here, so no pod could be created with the plugin on.
        "--disable-admission-plugins=ServiceAccount",
    ]


def _session(server: KubeApiServer) -> httpx.Client:
    return httpx.Client(
        base_url=server.url,
        verify=ssl.create_default_context(cafile=str(server.ca_path)),
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=PATIENCE,
    )


def _readiness(server: KubeApiServer) -> Callable[[], bool]:
    def ready() -> bool:
        if not server.ca_path.is_file():
            return False
        try:
            with _session(server) as session:
                return session.get("/readyz").status_code == httpx.codes.OK
        except (httpx.TransportError, ssl.SSLError):
            return False

    return ready


def _install_definitions(server: KubeApiServer) -> None:
    with istio_definitions().open() as file, _session(server) as session:
        for document in yaml.load_all(file, Loader=yaml.CSafeLoader):
            if document and document["metadata"]["name"] in DEFINITIONS:
                session.post(DEFINITIONS_PATH, json=document).raise_for_status()
        for name in DEFINITIONS:
            _await_established(session, name)


def _await_established(session: httpx.Client, name: str) -> None:
    plural, group = name.split(".", 1)

    def is_established() -> bool:
        document = session.get(f"{DEFINITIONS_PATH}/{name}").raise_for_status().json()
        # A fresh definition carries `conditions: null`, and its handler follows the condition by a moment.
        conditions = (document.get("status") or {}).get("conditions") or []
        established = any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
        return established and session.get(f"/apis/{group}/v1/{plural}").is_success

    if not comes_true(is_established, every=0.05):
        raise PartFailedError(f"{name} was not established")
