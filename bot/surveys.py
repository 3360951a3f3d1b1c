"""What the mesh is asked to find before a release: a service, its versions and its routes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedRoutes:
    """Routes of one VirtualService (`name` or `namespace/name`) by their lists; no names mean the only one to the host.

    `is_delegate` says that the VirtualService has no hosts of its own and another one delegates to it.
    """

    virtual_service: str
    http: tuple[str, ...] = ()
    tcp: tuple[str, ...] = ()
    tls: tuple[str, ...] = ()
    is_delegate: bool = False


@dataclass(frozen=True, slots=True)
class SurveyRequest:
    """Which service, to which version (empty: none yet, for looking only); `baseline` and `routes` when named."""

    service: str
    namespace: str
    candidate: str
    baseline: str | None = None
    version_label: str = "version"
    routes: tuple[NamedRoutes, ...] = ()
    image: str = ""  # what a candidate that is not deployed yet runs
    images: tuple[str, ...] = ()  # repositories that it may come from, beside the baseline's own
