"""One connection to the Kubernetes API: credentials, timeouts, raw documents in and out."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import load_incluster_config, load_kube_config
from kubernetes.config.config_exception import ConfigException

from bot.errors import Fault
from bot.mesh.documents import Document
from bot.mesh.kube_errors import refused_by_server, unanswered

# Connect and read, in seconds. A write that is not answered in this time is looked up again.
TIMEOUT = (2.0, 5.0)
SUCCESS = range(200, 300)
POOLED_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource: where it lives in the API, and the versions of its group that we can read, newest first."""

    name: str
    plural: str
    group: str
    versions: tuple[str, ...]

    def path(self, version: str, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object or its subresource."""
        root = f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"
        home = f"/namespaces/{namespace}" if namespace else ""
        return "/".join(part for part in (f"{root}{home}", self.plural, name, subresource) if part)

    @property
    def resource(self) -> str:
        """`virtualservices.networking.istio.io`, as roles name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


ISTIO = ("v1", "v1beta1", "v1alpha3")
VIRTUAL_SERVICE = Kind("VirtualService", "virtualservices", "networking.istio.io", ISTIO)
DESTINATION_RULE = Kind("DestinationRule", "destinationrules", "networking.istio.io", ISTIO)
DEPLOYMENT = Kind("Deployment", "deployments", "apps", ("v1",))
POD = Kind("Pod", "pods", "", ("v1",))
AUTOSCALER = Kind("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", ("v2",))
BUDGET = Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", ("v1",))
EVENT = Kind("Event", "events", "", ("v1",))
QUOTA = Kind("ResourceQuota", "resourcequotas", "", ("v1",))
SERVICE = Kind("Service", "services", "", ("v1",))


class Connection:
    """Speaks to one API server. The library's models are never used: documents pass through as they are."""

    def __init__(self, client: ApiClient) -> None:
        # The library is typed in places only; what leaves this class is typed everywhere.
        self._client: Any = client

    @property
    def host(self) -> str:
        """The server's URL."""
        return str(self._client.configuration.host)

    def call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        query: Mapping[str, str] | None = None,
        body: Document | None = None,
        content_type: str = "application/json",
    ) -> Document:
        """The answer's document; trouble comes as Transient or Fault that names `what`."""
        with translated(VERBS[method], what):
            document: Document = json.loads(self._send(method, path, query, body, content_type).data)
            return document

    def text(self, path: str, *, what: str, query: Mapping[str, str]) -> str:
        """An answer that is no document, such as a log; trouble as in `call`."""
        with translated("get", what):
            return self._send("GET", path, query, None, "application/json").data.decode("utf-8", "replace")

    def read(self, path: str, query: Mapping[str, str], timeout: tuple[float, float]) -> Document:
        """A collection, with the library's own errors: for the watch, which handles them itself."""
        response = self._open("GET", path, query, None, "application/json", timeout)
        document: Document = json.loads(self._checked(response).data)
        return document

    def stream(self, path: str, query: Mapping[str, str], timeout: tuple[float, float]) -> urllib3.BaseHTTPResponse:
        """An open watch, with the library's own errors."""
        response = self._open("GET", path, query, None, "application/json", timeout)
        return response if response.status in SUCCESS else self._checked(response)

    def close(self) -> None:
        """Let go of every idle connection."""
        self._client.close()

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Document | None, content_type: str
    ) -> urllib3.BaseHTTPResponse:
        return self._checked(self._open(method, path, query or {}, body, content_type, TIMEOUT))

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Document | None,
        content_type: str,
        timeout: tuple[float, float],
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        request = self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        response: urllib3.BaseHTTPResponse = self._client.call_api(*request, _request_timeout=timeout).response
        return response

    @staticmethod
    def _checked(response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        body = response.data
        response.release_conn()
        if response.status not in SUCCESS:
            problem = ApiException(status=response.status, reason=response.reason, body=body.decode("utf-8", "replace"))
            problem.headers = response.headers
            raise problem
        return response


VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@contextlib.contextmanager
def translated(verb: str, what: str) -> Iterator[None]:
    """The library's errors become ours, with the cause chained."""
    try:
        yield
    except ApiException as problem:
        raise refused_by_server(problem, verb, what) from problem
    except urllib3.exceptions.HTTPError as problem:
        raise unanswered(problem, verb, what) from problem


def connect(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """A connection by the file named, else by KUBECONFIG or ~/.kube/config, else by the pod's service account.

    Nothing is sent yet. A file that cannot be read or a context that is not in it is a Fault that says so.
    """
    configuration = Configuration()
    load: Any = load_kube_config
    try:
        load(config_file=kubeconfig, context=context, client_configuration=configuration)
    except (ConfigException, OSError, ValueError) as problem:
        if kubeconfig or context:
            named = f"SLUICE_KUBECONFIG={kubeconfig}" if kubeconfig else "KUBECONFIG"
            wanted = f" with SLUICE_KUBE_CONTEXT={context}" if context else ""
            why = str(problem).strip().rstrip(".")
            raise Fault(f"{named}{wanted}: this kubeconfig cannot be used: {why}.") from problem
        _load_service_account(configuration, problem)
    # A retry that the library makes by itself would write twice without our knowing.
    configuration.retries = False
    configuration.connection_pool_maxsize = POOLED_CONNECTIONS
    client = ApiClient(configuration)
    client.user_agent = "sluice"
    return Connection(client)


def _load_service_account(configuration: Configuration, problem: Exception) -> None:
    load: Any = load_incluster_config
    try:
        load(client_configuration=configuration)
    except ConfigException as inner:
        text = "No cluster is configured: set SLUICE_KUBECONFIG or KUBECONFIG, or run in a pod with a service account"
        raise Fault(f"{text}: {problem}") from inner
