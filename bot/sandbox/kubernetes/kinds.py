"""The resources that are served, and how each differs from the rule."""

from __future__ import annotations

from dataclasses import dataclass

ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")


@dataclass(frozen=True)
class Kind:
    """One resource; `versions` has the preferred one first, all versions show the same object."""

    group: str
    versions: tuple[str, ...]
    name: str
    plural: str
    schema: str
    namespaced: bool = True
    status: bool = False
    scale: bool = False
    generation: bool = False
    custom: bool = False
    returns_deleted: bool = False
    creates_on_update: bool = False
    unconditional_update: bool = True
    short_names: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """Plural and group, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """Kind and group, as messages about a definition's objects name it."""
        return f"{self.name}.{self.group}" if self.group else self.name

    def api_version(self, version: str) -> str:
        """What `apiVersion` says for an object read in this version."""
        return f"{self.group}/{version}" if self.group else version


def _core(name: str, plural: str, **differences: object) -> Kind:
    return Kind("", ("v1",), name, plural, f"io.k8s.api.core.v1.{name}", **differences)  # type: ignore[arg-type]


def _apps(name: str, plural: str, short: str) -> Kind:
    return Kind(
        "apps",
        ("v1",),
        name,
        plural,
        f"io.k8s.api.apps.v1.{name}",
        status=True,
        scale=True,
        generation=True,
        short_names=(short,),
    )


def _istio(name: str, plural: str, short: str) -> Kind:
    return Kind(
        "networking.istio.io",
        ISTIO_VERSIONS,
        name,
        plural,
        f"io.istio.networking.v1.{name}",
        status=True,
        generation=True,
        custom=True,
        unconditional_update=False,
        short_names=(short,),
    )


NAMESPACE = _core("Namespace", "namespaces", namespaced=False, status=True, returns_deleted=True, short_names=("ns",))
DEPLOYMENT = _apps("Deployment", "deployments", "deploy")
KINDS: tuple[Kind, ...] = (
    NAMESPACE,
    _core("Pod", "pods", status=True, generation=True, returns_deleted=True, short_names=("po",)),
    _core(
        "Service",
        "services",
        status=True,
        returns_deleted=True,
        creates_on_update=True,
        short_names=("svc",),
    ),
    _core("Event", "events", creates_on_update=True, short_names=("ev",)),
    _core("ConfigMap", "configmaps", short_names=("cm",)),
    _core("Secret", "secrets"),
    _core("ServiceAccount", "serviceaccounts", returns_deleted=True, short_names=("sa",)),
    _core("ResourceQuota", "resourcequotas", status=True, returns_deleted=True, short_names=("quota",)),
    DEPLOYMENT,
    _apps("ReplicaSet", "replicasets", "rs"),
    _apps("StatefulSet", "statefulsets", "sts"),
    Kind(
        "autoscaling",
        ("v2",),
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
        status=True,
        short_names=("hpa",),
    ),
    Kind(
        "policy",
        ("v1",),
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "io.k8s.api.policy.v1.PodDisruptionBudget",
        status=True,
        generation=True,
        unconditional_update=False,
        short_names=("pdb",),
    ),
    Kind(
        "coordination.k8s.io",
        ("v1",),
        "Lease",
        "leases",
        "io.k8s.api.coordination.v1.Lease",
        creates_on_update=True,
        unconditional_update=False,
    ),
    Kind(
        "discovery.k8s.io",
        ("v1",),
        "EndpointSlice",
        "endpointslices",
        "io.k8s.api.discovery.v1.EndpointSlice",
        generation=True,
    ),
    _istio("VirtualService", "virtualservices", "vs"),
    _istio("DestinationRule", "destinationrules", "dr"),
)

_BY_PATH = {(kind.group, version, kind.plural): kind for kind in KINDS for version in kind.versions}


def kind_at(group: str, version: str, plural: str) -> Kind | None:
    """The kind that a URL names."""
    return _BY_PATH.get((group, version, plural))
