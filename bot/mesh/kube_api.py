"""One connection to the Kubernetes API: credentials, timeouts, raw documents in and out."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.exceptions import ApiException

from bot.errors import SluiceError
from bot.mesh import credentials
from bot.mesh.credentials import UNREADABLE, Credentials
from bot.mesh.documents import Document
from bot.mesh.kube_errors import UNAUTHORIZED, foreign, is_foreign, lacks_right, refused_by_server, unanswered
from bot.mesh.rights import Refusals, Right

# Connect and read, in seconds. A write that is not answered in this time is looked up again.
TIMEOUT = (2.0, 5.0)
SUCCESS = range(200, 300)
GRANTED = {400, 404, 409, 422}  # whoever is told this was allowed to ask
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
# Everybody who is known to the server may ask what they may do: its own role system:basic-user says so.
REVIEWS = Kind("SelfSubjectAccessReview", "selfsubjectaccessreviews", "authorization.k8s.io", ("v1",))


class Connection:
    """Speaks to one API server. The library's models are never used: documents pass through as they are."""

    def __init__(self, client: ApiClient, own: Credentials) -> None:
        # The library is typed in places only; what leaves this class is typed everywhere.
        self._client: Any = client
        self._credentials = own
        self.refusals = Refusals()

    @property
    def host(self) -> str:
        """The server's URL."""
        return str(self._client.configuration.host)

    def call(
        self,
        right: Right,
        path: str,
        *,
        what: str,
        query: Mapping[str, str] | None = None,
        body: Document | None = None,
    ) -> Document:
        """The answer's document; trouble comes as Transient or Fault that names `what`, or the right that lacks."""
        with self._translated(right, what):
            response = self._open(METHODS[right.verb], path, query or {}, body, TIMEOUT)
            return self._document(response)

    def text(self, right: Right, path: str, *, what: str, query: Mapping[str, str]) -> str:
        """An answer that is no document, such as a log; trouble as in `call`."""
        with self._translated(right, what):
            return self._checked(self._open("GET", path, query, None, TIMEOUT)).data.decode("utf-8", "replace")

    def allows(self, right: Right) -> bool:
        """Whether the server would grant the right now; True where it cannot be asked, for then the attempt tells."""
        body = {
            "apiVersion": f"{REVIEWS.group}/v1",
            "kind": REVIEWS.name,
            "spec": {"resourceAttributes": right.attributes},
        }
        to_ask = Right("create", REVIEWS.resource)
        try:
            asked = self.call(to_ask, REVIEWS.path("v1", None), what="a review", body=body)
        except SluiceError:
            self.refusals.clear(to_ask)  # nothing waits for this one
            return True
        return bool(asked["status"]["allowed"])

    def read(self, path: str, query: Mapping[str, str], timeout: tuple[float, float]) -> Document:
        """A collection, with the library's own errors: for the watch, which handles them itself."""
        response = self._open("GET", path, query, None, timeout)
        document = self._document(response)
        if not str(document.get("kind")).endswith("List"):
            # Taken for a list, it would say that everything is gone.
            raise foreign(response.status)
        return document

    def stream(self, path: str, query: Mapping[str, str], timeout: tuple[float, float]) -> urllib3.BaseHTTPResponse:
        """An open watch, with the library's own errors."""
        response = self._open("GET", path, query, None, timeout)
        return response if response.status in SUCCESS else self._checked(response)

    def close(self) -> None:
        """Let go of every idle connection."""
        self._client.close()

    def _open(
        self, method: str, path: str, query: Mapping[str, str], body: Document | None, timeout: tuple[float, float]
    ) -> urllib3.BaseHTTPResponse:
        token = self._credentials.token
        response = self._sent(method, path, query, body, timeout)
        # Whoever is not known has done nothing: with another token even a write may be sent once more.
        if response.status == UNAUTHORIZED and self._credentials.renewed(token):
            response.drain_conn()
            response.release_conn()
            response = self._sent(method, path, query, body, timeout)
        return response

    def _sent(
        self, method: str, path: str, query: Mapping[str, str], body: Document | None, timeout: tuple[float, float]
    ) -> urllib3.BaseHTTPResponse:
        try:
            request = self._client.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                auth_settings=[credentials.TOKEN],
            )
        except UNREADABLE as problem:
            # The library reads the token's file here, and whoever rotates it may leave it empty for a moment.
            raise ApiException(status=UNAUTHORIZED, reason=f"the token cannot be read: {problem}") from problem
        response: urllib3.BaseHTTPResponse = self._client.call_api(*request, _request_timeout=timeout).response
        return response

    @classmethod
    def _document(cls, response: urllib3.BaseHTTPResponse) -> Document:
        try:
            document: Document = json.loads(cls._checked(response).data)
        except json.JSONDecodeError as problem:
            raise foreign(response.status) from problem
        if not isinstance(document, dict):
            raise foreign(response.status)
        return document

    @staticmethod
    def _checked(response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        body = response.data
        response.release_conn()
        if response.status not in SUCCESS:
            told = body.decode("utf-8", "replace")
            if is_foreign(response.status, told):
                raise foreign(response.status)
            problem = ApiException(status=response.status, reason=response.reason, body=told)
            problem.headers = response.headers
            raise problem
        return response

    @contextlib.contextmanager
    def _translated(self, right: Right, what: str) -> Iterator[None]:
        """The library's errors become ours, with the cause chained; a right that is missing is remembered."""
        try:
            yield
        except ApiException as problem:
            if lacks_right(problem):
                self.refusals.note(right)
            elif problem.status in GRANTED:
                self.refusals.clear(right)
            raise refused_by_server(problem, right, what) from problem
        except urllib3.exceptions.HTTPError as problem:
            raise unanswered(problem, right.verb, what) from problem
        else:
            self.refusals.clear(right)


METHODS = {"get": "GET", "list": "GET", "create": "POST", "update": "PUT", "delete": "DELETE"}


def connect(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """A connection by the file named, else by KUBECONFIG or ~/.kube/config, else by the pod's service account.

    Nothing is sent yet. A file that cannot be read or a context that is not in it is a Fault that says so.
    """
    own = credentials.load(kubeconfig, context)
    # A retry that the library makes by itself would write twice without our knowing.
    own.configuration.retries = False
    own.configuration.connection_pool_maxsize = POOLED_CONNECTIONS
    client = ApiClient(own.configuration)
    client.user_agent = "sluice"
    return Connection(client, own)
