"""The cluster as our watches have it, ahead of them where we wrote something ourselves."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer

from bot.mesh.destination_rule import rule_host
from bot.mesh.documents import Document, full_name, labels_of, namespace_of, version_number
from bot.mesh.kube_api import (
    AUTOSCALER,
    DEPLOYMENT,
    DESTINATION_RULE,
    POD,
    QUOTA,
    SERVICE,
    VIRTUAL_SERVICE,
    Connection,
    Kind,
)
from bot.mesh.pod_index import PodIndex, slim_pod
from bot.mesh.watch_source import Source, Stopping
from bot.mesh.workloads import template_labels

# What is good to know and nothing waits for: a role of an earlier version may not grant it.
OPTIONAL = (AUTOSCALER, QUOTA)
KINDS = (VIRTUAL_SERVICE, DESTINATION_RULE, SERVICE, DEPLOYMENT, POD)
STOP_SECONDS = 2.0
# A watch that has been down for longer no longer says which pods are ready.
STALE_SECONDS = 30.0

Labels = Mapping[str, str]


class WatchCache:
    """Watches our kinds in the given namespaces (none: all of them) and answers from memory."""

    def __init__(self, connection: Connection, namespaces: Sequence[str] = ()) -> None:
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._sources: dict[tuple[Kind, str | None], Source] = {}
        self._informers: dict[tuple[Kind, str | None], Any] = {}
        self._pods = PodIndex()
        self._ahead: dict[tuple[Kind, str], Document] = {}
        self._ahead_lock = threading.Lock()
        self._listeners: list[Callable[[str], None]] = []
        self._rule_listeners: list[Callable[[str], None]] = []
        self._pod_listeners: list[Callable[[str, Labels], None]] = []
        self._list_listeners: list[Callable[[], None]] = []
        for kind in (*KINDS, *OPTIONAL):
            for namespace in self._namespaces:
                self._add(connection, kind, namespace)

    def start(self) -> None:
        """Begin to watch, in threads; returns at once."""
        for informer in self._informers.values():
            informer.start()

    def stop(self) -> None:
        """End every watch; returns when all threads are gone, or after two seconds."""
        for source in self._sources.values():
            source.stop()
        # The library joins without a limit; a thread that hangs in a connect must not hold the whole stop.
        enders = [threading.Thread(target=each.stop, daemon=True) for each in self._informers.values()]
        deadline = time.monotonic() + STOP_SECONDS
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join(max(0.0, deadline - time.monotonic()))

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call with `namespace/name` when a VirtualService was added, changed or deleted; not for first lists."""
        self._listeners.append(listener)

    def on_rule_change(self, listener: Callable[[str], None]) -> None:
        """Call with the full host whenever a DestinationRule was added, changed or deleted; not for first lists."""
        self._rule_listeners.append(listener)

    def on_pods(self, listener: Callable[[str, Labels], None]) -> None:
        """Call with namespace and labels when pods, or what makes or picks them, changed; not for first lists.

        No labels: it may be any pods of the namespace.
        """
        self._pod_listeners.append(listener)

    def on_listed(self, listener: Callable[[], None]) -> None:
        """Call once every kind that we cannot do without has been listed."""
        self._list_listeners.append(listener)

    @property
    def is_synced(self) -> bool:
        """True once every kind that we cannot do without has been listed."""
        return all(source.is_synced for (kind, _), source in self._sources.items() if kind not in OPTIONAL)

    def has_listed(self, kind: Kind, name: str) -> bool:
        """True once this kind has been listed where the object `namespace/name` lives."""
        source = self._sources.get((kind, self._home(name)))
        return source is not None and source.is_synced

    def is_behind(self, kind: Kind) -> bool:
        """True while a watch of this kind is down, so that memory may lag."""
        return any(each.broken_since is not None for (own, _), each in self._sources.items() if own is kind)

    @property
    def is_stale(self) -> bool:
        """True when the pods have not been heard of for so long that their count means nothing."""
        since = [each.broken_since for (kind, _), each in self._sources.items() if kind is POD]
        now = time.monotonic()
        return any(each is not None and now - each > STALE_SECONDS for each in since)

    def troubles(self) -> list[tuple[str, bool]]:
        """Why the watches that are down are down, and whether the server answered with a refusal."""
        needed = [source for (kind, _), source in self._sources.items() if kind not in OPTIONAL]
        down = [each for each in needed if each.broken_since is not None]
        return list(dict.fromkeys((each.trouble, each.is_refused) for each in down))

    def version(self, kind: Kind) -> str:
        """The version of the kind's group that this server offers; the newest of a kind that is not watched."""
        source = self._sources.get((kind, self._namespaces[0]))
        return source.version if source is not None else kind.versions[0]

    def remember(self, kind: Kind, document: Document) -> None:
        """Take what the server answered us, until the watch has caught up with it."""
        watched = self._one(kind, full_name(document))
        if watched is not None and version_number(watched) >= version_number(document):
            return
        with self._ahead_lock:
            known = self._ahead.get((kind, full_name(document)))
            if known is None or version_number(known) < version_number(document):
                self._ahead[kind, full_name(document)] = document

    def forget(self, kind: Kind, name: str) -> None:
        """Drop what we remembered of an object that is gone."""
        with self._ahead_lock:
            self._ahead.pop((kind, name), None)

    # --- View -------------------------------------------------------------------------------------------------------

    def virtual_services(self) -> Sequence[Document]:
        """Every VirtualService that is watched."""
        return self._all(VIRTUAL_SERVICE)

    def virtual_service(self, name: str) -> Document | None:
        """The VirtualService `namespace/name`."""
        return self._one(VIRTUAL_SERVICE, name)

    def destination_rules(self) -> Sequence[Document]:
        """Every DestinationRule that is watched."""
        return self._all(DESTINATION_RULE)

    def services(self) -> Sequence[Document]:
        """Every Service that is watched."""
        return self._all(SERVICE)

    def service(self, name: str) -> Document | None:
        """The Service `namespace/name`."""
        return self._one(SERVICE, name)

    def deployments(self, namespace: str) -> Sequence[Document]:
        """The Deployments of one namespace."""
        return [each for each in self._all(DEPLOYMENT) if namespace_of(each) == namespace]

    def autoscalers(self, namespace: str) -> Sequence[Document]:
        """The HorizontalPodAutoscalers of one namespace; none where they may not be read."""
        return [each for each in self._all(AUTOSCALER) if namespace_of(each) == namespace]

    def quotas(self, namespace: str) -> Sequence[Document]:
        """The ResourceQuotas of one namespace; none where they may not be read."""
        return [each for each in self._all(QUOTA) if namespace_of(each) == namespace]

    def pods(self, namespace: str, labels: Mapping[str, Any]) -> Sequence[Document]:
        """The pods of one namespace that carry all these labels."""
        return self._pods.select(namespace, labels)

    def scope(self) -> str:
        """Which namespaces are watched, in words."""
        named = [each for each in self._namespaces if each is not None]
        return f"namespace {', '.join(named)}" if named else "all namespaces"

    # ----------------------------------------------------------------------------------------------------------------

    def _add(self, connection: Connection, kind: Kind, namespace: str | None) -> None:
        slim = slim_pod if kind is POD else _slim_nothing
        source = Source(connection, kind, namespace, slim, is_optional=kind in OPTIONAL, listed=self._listed)
        untyped: Any = SharedInformer
        informer = untyped(source)
        if kind is POD:
            informer.add_event_handler(ADDED, self._put_pod)
            informer.add_event_handler(MODIFIED, self._put_pod)
            informer.add_event_handler(DELETED, self._pods.remove)
        for event in (ADDED, MODIFIED, DELETED):
            informer.add_event_handler(event, self._heard(kind, is_deleted=event is DELETED))
        self._sources[kind, namespace], self._informers[kind, namespace] = source, informer

    def _put_pod(self, pod: Document) -> None:
        self._pods.put(slim_pod(pod))

    def _heard(self, kind: Kind, *, is_deleted: bool) -> Callable[[Document], None]:
        def hear(document: Document) -> None:
            name = full_name(document)
            with self._ahead_lock:
                known = self._ahead.get((kind, name))
                if known and (is_deleted or version_number(known) <= version_number(document)):
                    del self._ahead[kind, name]
            if self.is_synced:  # from half of the cluster nobody can tell anything
                self._tell(kind, name, document)

        return hear

    def _tell(self, kind: Kind, name: str, document: Document) -> None:
        if kind is VIRTUAL_SERVICE:
            for changed in self._listeners:
                changed(name)
        elif kind is DESTINATION_RULE:
            for rule_changed in self._rule_listeners:
                rule_changed(rule_host(document))
        else:
            labels = labels_of(document) if kind is POD else template_labels(document)
            for pods_changed in self._pod_listeners:
                pods_changed(namespace_of(document), labels)

    def _listed(self) -> None:
        if self.is_synced:
            listeners, self._list_listeners = self._list_listeners, []
            for listener in listeners:
                listener()

    def _one(self, kind: Kind, name: str) -> Document | None:
        informer = self._informers.get((kind, self._home(name)))
        watched: Document | None = informer.cache.get_by_key(name) if informer is not None else None
        return watched if watched is None else self._newest(kind, name, watched)

    def _home(self, name: str) -> str | None:
        return None if self._namespaces == (None,) else name.partition("/")[0]

    def _all(self, kind: Kind) -> list[Document]:
        watched = [each for namespace in self._namespaces for each in self._informers[kind, namespace].cache.list()]
        if not any(own is kind for own, _ in list(self._ahead)):
            return watched
        return [self._newest(kind, full_name(each), each) for each in watched]

    def _newest(self, kind: Kind, name: str, watched: Document) -> Document:
        with self._ahead_lock:
            ours = self._ahead.get((kind, name))
        return ours if ours is not None and version_number(ours) > version_number(watched) else watched


def _slim_nothing(document: Document) -> Document:
    return document


class _Quiet(logging.Filter):
    """Keeps the library from logging our own stop as an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a record that is about a stopping source."""
        problem = record.exc_info[1] if record.exc_info else None
        return not isinstance(problem, Stopping) and "status=0" not in record.getMessage()


logging.getLogger("kubernetes.informer.informer").addFilter(_Quiet())
