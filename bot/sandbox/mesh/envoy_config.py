"""Envoy's bootstrap, clusters and endpoints as documents."""

from collections.abc import Iterable
from pathlib import Path

from bot.sandbox.cluster.client import Document
from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.mesh.routing import Cluster, Endpoint, TcpRoute

NAME = "mesh"
TYPES = "type.googleapis.com/envoy"
CLUSTER_TYPE = f"{TYPES}.config.cluster.v3.Cluster"
LISTENER_TYPE = f"{TYPES}.config.listener.v3.Listener"
TCP_TYPE = f"{TYPES}.extensions.filters.network.tcp_proxy.v3.TcpProxy"
ENDPOINTS_TYPE = f"{TYPES}.config.endpoint.v3.ClusterLoadAssignment"
# Istio lifts Envoy's limits of 1,024, which a slow version would meet long before its pods do.
NO_LIMIT = 4_294_967_295
LOG_FIELDS = {
    "start": "%START_TIME(%s.%6f)%",
    "ms": "%DURATION%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "workload": "%UPSTREAM_METADATA(istio:workload)%",
    # Present only when an upstream's own answer came back, which is when Istio learns who it was.
    "upstream_ms": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "authority": "%REQ(:AUTHORITY)%",
}


def bootstrap(folder: Path, log: Path) -> Document:
    """One listener for requests on a free port; routes, clusters and other listeners from files in `folder`."""
    return {
        "node": {"id": "sidecar", "cluster": NAME},
        "admin": {"address": _socket("127.0.0.1", 0)},
        "dynamic_resources": {
            "cds_config": _source(folder / "cds.json"),
            "lds_config": _source(folder / "lds.json"),
        },
        "static_resources": {
            "listeners": [
                {
                    "name": NAME,
                    "address": _socket("127.0.0.1", 0),
                    "filter_chains": [{"filters": [_connection_filter(folder, log)]}],
                }
            ]
        },
    }


def _connection_filter(folder: Path, log: Path) -> Document:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": NAME,
            "generate_request_id": False,
            "rds": {"route_config_name": NAME, "config_source": _source(folder / "rds.json")},
            "http_filters": [
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router"},
                }
            ],
            "access_log": [
                {
                    "name": "envoy.access_loggers.file",
                    "typed_config": {
                        "@type": f"{TYPES}.extensions.access_loggers.file.v3.FileAccessLog",
                        "path": str(log),
                        "log_format": {"json_format": LOG_FIELDS},
                    },
                }
            ],
        },
    }


def cluster_resource(cluster: Cluster, endpoints: Path) -> Document:
    """A cluster whose endpoints come from a file of their own: a pod's end does not remake the cluster."""
    limits = {"max_connections": NO_LIMIT, "max_pending_requests": NO_LIMIT, "max_requests": NO_LIMIT}
    return {
        "@type": CLUSTER_TYPE,
        "name": str(cluster.name),
        "type": "EDS",
        "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN",
        "circuit_breakers": {"thresholds": [limits | {"max_retries": NO_LIMIT}]},
        "eds_cluster_config": {"service_name": str(cluster.name), "eds_config": _source(endpoints)},
    }


def tcp_listener(route: TcpRoute, port: int) -> Document:
    """A listener that passes connections on, each to a destination drawn by weight; open ones stay where they are."""
    weighted = [one for one in route.shares if one.weight > 0] if len(route.shares) > 1 else list(route.shares)
    clusters = [{"name": str(one.cluster), "weight": one.weight or 1} for one in weighted]
    proxy = {"@type": TCP_TYPE, "stat_prefix": route.name, "weighted_clusters": {"clusters": clusters}}
    return {
        "@type": LISTENER_TYPE,
        "name": route.name,
        "address": _socket("127.0.0.1", port),
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}],
    }


def endpoints_resource(cluster: Cluster) -> Document:
    """The endpoints of a cluster; none at all is allowed and answers 503 with UH."""
    return {
        "@type": ENDPOINTS_TYPE,
        "cluster_name": str(cluster.name),
        "endpoints": [{"lb_endpoints": [_endpoint(one) for one in cluster.endpoints]}],
    }


def discovery_response(version: int, resources: Iterable[Document]) -> Document:
    """What a file of any kind of resource holds."""
    return {"version_info": str(version), "resources": list(resources)}


def workload_text(workload: Workload) -> str:
    """A workload as Istio writes it into an endpoint's metadata."""
    return f"{workload.name};{workload.namespace};{workload.app};{workload.version};{workload.cluster}"


def read_workload(text: str) -> Workload:
    """The workload that `workload_text` wrote."""
    name, namespace, app, version, cluster = text.split(";")
    account = f"spiffe://cluster.local/ns/{namespace}/sa/default"
    return Workload(name, namespace, app, version, cluster, account)


def _endpoint(endpoint: Endpoint) -> Document:
    return {
        "endpoint": {"address": _socket(endpoint.address, endpoint.port)},
        "metadata": {"filter_metadata": {"istio": {"workload": workload_text(endpoint.workload)}}},
    }


def _source(path: Path) -> Document:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}


def _socket(address: str, port: int) -> Document:
    return {"socket_address": {"address": address, "port_value": port}}
