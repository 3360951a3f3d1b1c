"""Istio hosts, compared whole."""

DOMAIN = "svc.cluster.local"


def full_host(host: str, namespace: str) -> str:
    """A host without a dot means the service in `namespace`; one with a dot is literal."""
    return host if "." in host else f"{host}.{namespace}.{DOMAIN}"


def service_of(host: str) -> tuple[str, str] | None:
    """(namespace, name) of the Kubernetes Service behind a full host, None for any other host."""
    name, _, rest = host.partition(".")
    namespace, _, domain = rest.partition(".")
    return (namespace, name) if domain == DOMAIN and name and namespace else None
