"""The account and the roles of deploy/rbac.yaml on a real API server: bound where a test says, with its tokens."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import yaml

from tests.parts.processes import PartFailedError
from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from tests.parts.kube_apiserver import KubeApiServer

RBAC = Path(__file__).parents[2] / "deploy" / "rbac.yaml"
HOME: Final = "sluice"  # the namespace of the file
SLUICE, WORKLOADS, ADOPT = ROLES = ("sluice", "sluice-workloads", "sluice-adopt")
AUTHORISATION: Final = "/apis/rbac.authorization.k8s.io/v1"
SECONDS: Final = 3600  # of a token


class ServiceAccount:
    """An account without any right until a role is bound to it; `admin` makes it and what it is bound by."""

    def __init__(self, admin: httpx.Client, name: str) -> None:
        self.name = name
        self._admin = admin
        _post(admin, f"/api/v1/namespaces/{HOME}/serviceaccounts", {"metadata": {"name": name}})

    def token(self, **spec: Any) -> str:
        """What the kubelet would ask for and put into the pod."""
        path = f"/api/v1/namespaces/{HOME}/serviceaccounts/{self.name}/token"
        answer = _post(self._admin, path, {"spec": {"expirationSeconds": SECONDS, **spec}})
        return str(answer["status"]["token"])

    def bind(self, role: str, namespace: str | None = None, *, kind: str = "ClusterRole") -> str:
        """In one namespace, or in all of them; the path of the binding, which ends it when it is deleted."""
        name = f"{role}-of-{self.name}"
        subject = {"kind": "ServiceAccount", "name": self.name, "namespace": HOME}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
        body = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
        binding = self.binding(role, namespace)
        _post(self._admin, binding.removesuffix(f"/{name}"), body)
        return binding

    def binding(self, role: str, namespace: str | None) -> str:
        """The path of what binds the role."""
        where = f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings"
        return f"{AUTHORISATION}/{where}/{role}-of-{self.name}"

    def settle(self, namespace: str) -> None:
        """Make the namespace, for a binding in it."""
        _post(self._admin, "/api/v1/namespaces", {"metadata": {"name": namespace}})

    def unbind(self, binding: str) -> None:
        """End what `bind` began."""
        self._admin.delete(binding).raise_for_status()

    def awaits(self, attributes: dict[str, str], *, is_allowed: bool) -> None:
        """Return once the server's authoriser has heard of what was bound or taken away."""
        user = f"system:serviceaccount:{HOME}:{self.name}"
        spec = {"user": user, "groups": ["system:authenticated"], "resourceAttributes": attributes}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        if not comes_true(lambda: _post(self._admin, path, {"spec": spec})["status"]["allowed"] is is_allowed):
            raise PartFailedError(f"the API server does not say {is_allowed} of {attributes}")


def administrator(server: KubeApiServer) -> httpx.Client:
    """The hands of whoever applies deploy/rbac.yaml; to be closed."""
    return httpx.Client(
        base_url=server.url,
        verify=ssl.create_default_context(cafile=str(server.ca_path)),
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=PATIENCE,
    )


def apply(admin: httpx.Client) -> None:
    """Apply deploy/rbac.yaml, all but the account and its binding: each test makes those that it needs."""
    for document in yaml.safe_load_all(RBAC.read_text()):
        match document["kind"]:
            case "Namespace":
                _post(admin, "/api/v1/namespaces", document)
            case "ClusterRole":
                _post(admin, f"{AUTHORISATION}/clusterroles", document)


def _post(admin: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = admin.post(path, json=body)
    if response.is_error:
        raise PartFailedError(f"POST {path}: {response.status_code} {response.text}")
    answer: dict[str, Any] = response.json()
    return answer
