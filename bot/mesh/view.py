"""What the mesh logic reads: the cluster as some cache has it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.mesh.documents import Document


class View(Protocol):
    """Documents by kind; what comes back is shared and must be copied before it is edited."""

    def virtual_services(self) -> Sequence[Document]:
        """Every VirtualService that is watched."""
        ...

    def virtual_service(self, name: str) -> Document | None:
        """The VirtualService `namespace/name`."""
        ...

    def destination_rules(self) -> Sequence[Document]:
        """Every DestinationRule that is watched."""
        ...

    def services(self) -> Sequence[Document]:
        """Every Service that is watched."""
        ...

    def service(self, name: str) -> Document | None:
        """The Service `namespace/name`."""
        ...

    def deployments(self, namespace: str) -> Sequence[Document]:
        """The Deployments of one namespace."""
        ...

    def autoscalers(self, namespace: str) -> Sequence[Document]:
        """The HorizontalPodAutoscalers of one namespace; none where they may not be read."""
        ...

    def quotas(self, namespace: str) -> Sequence[Document]:
        """The ResourceQuotas of one namespace; none where they may not be read."""
        ...

    def pods(self, namespace: str, labels: Mapping[str, Any]) -> Sequence[Document]:
        """The pods of one namespace that carry all these labels."""
        ...

    def scope(self) -> str:
        """Which namespaces are watched, in words."""
        ...
