"""Create, update, patch and apply: from a request's body to a stored object."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes import checks, defaults, ownership, patches
from bot.sandbox.kubernetes.kinds import NAMESPACE, Kind
from bot.sandbox.kubernetes.ownership import Owner
from bot.sandbox.kubernetes.problems import (
    ApiError,
    Cause,
    already_exists,
    bad_request,
    details,
    invalid,
    modified,
    not_found,
)
from bot.sandbox.kubernetes.schemas import component

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.kubernetes.store import Document, Store

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SET_BY_SERVER = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")


@dataclass(frozen=True)
class Target:
    """What a request's path names."""

    kind: Kind
    version: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def shown(self, document: Document) -> Document:
        """The stored object in the version that was asked for."""
        wanted = self.kind.api_version(self.version)
        return document if document["apiVersion"] == wanted else {**document, "apiVersion": wanted}


@dataclass(frozen=True)
class Options:
    """What a write's query says."""

    manager: str
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False


@dataclass(frozen=True)
class Written:
    """The object as it stands after the write, whether it is new, and what the caller is warned about."""

    document: Document
    created: bool = False
    warnings: tuple[str, ...] = ()


def now() -> str:
    """The server's clock, in whole seconds as the API keeps it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Writer:
    """All writes but deletion. A refused or dry-run request leaves the store as it was."""

    def __init__(self, store: Store, settle: Callable[[Kind, Document], None]) -> None:
        self._store = store
        # Called with an object that lost its last finalizer while being deleted.
        self._settle = settle

    def create(self, target: Target, document: Document, options: Options) -> Written:
        """Store a new object; refused when one of this name exists."""
        kept, warnings = self._decoded(target, document, options)
        filled = defaults.defaulted(target.kind.name, _named(kept))
        writer = self._owner(target, options, "Update")
        change = ownership.difference(component(target.kind.schema), self._blank(target.kind), filled)
        return self._born(target, filled, ownership.updated([], change, writer), options, warnings)

    def update(self, target: Target, document: Document, options: Options) -> Written:
        """Replace an object that has not changed since the caller read it."""
        kind = target.kind
        kept, warnings = self._decoded(target, document, options)
        before = self._store.get(kind, target.namespace, target.name)
        if before is None:
            if kind.creates_on_update and not target.subresource:
                return self.create(target, document, options)
            raise not_found(kind, target.name)
        if not kept["metadata"].get("resourceVersion") and not kind.unconditional_update:
            raise _unversioned(kind, target.name)
        return self._replaced(target, before, kept, options, warnings)

    def patch(self, target: Target, media: str, patch: Any, options: Options) -> Written:
        """Change an object by a patch of one of the three plain kinds."""
        before = self._present(target)
        rendered = target.shown(before)
        match media:
            case "application/json-patch+json":
                patched = patches.json_patch(rendered, patch)
            case "application/merge-patch+json":
                patched = patches.merge(rendered, patch)
            case _:
                patched = patches.strategic(rendered, patch, component(target.kind.schema))
        try:
            kept, warnings = self._decoded(target, patched, options)
        except checks.StrictDecodingError as refused:
            raise refused.of_patch() from refused
        return self._replaced(target, before, kept, options, warnings)

    def apply(self, target: Target, applied: Document, options: Options) -> Written:
        """Server-side apply: take ownership of what is written, give up what no longer is."""
        kind, node = target.kind, component(target.kind.schema)
        checks.typed(kind, target.version, applied)
        kept, warnings = self._decoded(target, applied, options)
        writer = self._owner(target, options, "Apply")
        writer = replace(writer, fields=ownership.applied_fields(node, kept))
        before = self._store.get(kind, target.namespace, target.name)
        if before is None:
            if target.subresource:
                raise not_found(kind, target.name)
            filled = defaults.defaulted(kind.name, kept)
            # There is nothing yet whose version could be wrong, so the one that is told is overlooked.
            filled["metadata"].pop("resourceVersion", None)
            return self._born(target, filled, [writer], options, warnings)
        after, owners = _applied(target, before, kept, writer, force=options.force)
        return self._replaced(target, before, after, options, warnings, owners=owners)

    def _present(self, target: Target) -> Document:
        found = self._store.get(target.kind, target.namespace, target.name)
        if found is None:
            raise not_found(target.kind, target.name)
        return found

    def _decoded(self, target: Target, document: Document, options: Options) -> tuple[Document, list[str]]:
        kept, unknown = checks.decoded(target.kind, target.version, document)
        warnings = checks.strict(target.kind, target.version, unknown, level=options.validation)
        metadata = kept["metadata"]
        if target.name and metadata.setdefault("name", target.name) != target.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})"
            )
        if target.kind.namespaced and metadata.setdefault("namespace", target.namespace) != target.namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        return kept, warnings

    def _born(
        self, target: Target, filled: Document, owners: list[Owner], options: Options, warnings: list[str]
    ) -> Written:
        kind = target.kind
        if filled["metadata"].get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        self._refuse_namespace(target, filled["metadata"].get("name", ""))
        metadata = {**filled["metadata"], "uid": str(uuid.uuid4()), "creationTimestamp": now()}
        if kind.generation:
            metadata["generation"] = 1
        document = {key: value for key, value in filled.items() if key != "status" or not kind.status}
        document["metadata"] = metadata
        status = defaults.first_status(kind.name)
        if status is not None:
            document["status"] = status
        checks.accept(kind, document)
        if self._store.get(kind, target.namespace, metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        document = defaults.admitted(kind.name, document, lambda: self._addresses(kind))
        document = ownership.with_owners(document, owners)
        stored = document if options.dry_run else self._store.put(kind, document)
        return Written(target.shown(stored), created=True, warnings=tuple(warnings))

    def _addresses(self, kind: Kind) -> set[str]:
        return {each["spec"].get("clusterIP", "") for each in self._store.items(kind)}

    def _refuse_namespace(self, target: Target, name: str) -> None:
        if not target.kind.namespaced:
            return
        namespace = self._store.get(NAMESPACE, "", target.namespace)
        if namespace is None:
            raise not_found(NAMESPACE, target.namespace)
        if namespace["metadata"].get("deletionTimestamp"):
            told = f"namespace {target.namespace} is being terminated"
            cause = Cause("metadata.namespace", "NamespaceTerminating", told)
            message = (
                f'{target.kind.resource} "{name}" is forbidden: unable to create new content in namespace '
                f"{target.namespace} because it is being terminated"
            )
            raise ApiError(
                403,
                "Forbidden",
                message,
                details={**details(target.kind, name), "causes": [cause.document()]},
            )

    def _replaced(
        self,
        target: Target,
        before: Document,
        wanted: Document,
        options: Options,
        warnings: list[str],
        *,
        owners: list[Owner] | None = None,
    ) -> Written:
        kind = target.kind
        told = wanted["metadata"].get("resourceVersion")
        if told and told != before["metadata"]["resourceVersion"]:
            raise modified(kind, target.name)
        if not target.subresource:
            wanted = defaults.defaulted(kind.name, wanted)
        after = _confined(target, before, wanted)
        if owners is None:
            change = ownership.difference(component(kind.schema), before, after)
            writer = self._owner(target, options, "Update")
            owners = ownership.updated(ownership.owners_of(before), change, writer)
        checks.accept(kind, after, before=before)
        after = ownership.with_owners(after, owners)
        if _same(before, after):
            return Written(target.shown(before), warnings=tuple(warnings))
        if after["metadata"].get("deletionTimestamp") and not after["metadata"].get("finalizers"):
            if not options.dry_run:
                self._settle(kind, after)
            return Written(target.shown(after), warnings=tuple(warnings))
        stored = after if options.dry_run else self._store.put(kind, after)
        return Written(target.shown(stored), warnings=tuple(warnings))

    def _owner(self, target: Target, options: Options, operation: str) -> Owner:
        api_version = target.kind.api_version(target.version)
        # The server keeps no time for who scaled.
        time = "" if target.subresource == "scale" else now()
        return Owner(options.manager, operation, api_version, frozenset(), time, target.subresource)

    def _blank(self, kind: Kind) -> Document:
        return {"metadata": {}} if kind.custom else defaults.blank(kind.name)


def _named(document: Document) -> Document:
    metadata = document["metadata"]
    if metadata.get("name") or not metadata.get("generateName"):
        return document
    suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))
    return {**document, "metadata": {**metadata, "name": metadata["generateName"] + suffix}}


def _confined(target: Target, before: Document, wanted: Document) -> Document:
    """The wanted object with everything this path may not change put back."""
    kind = target.kind
    held = before["metadata"]
    metadata = {key: value for key, value in wanted["metadata"].items() if value not in (None, {}, [])}
    for name in _SET_BY_SERVER:
        if name == "uid" and metadata.get("uid"):
            continue
        if name in held:
            metadata[name] = held[name]
        else:
            metadata.pop(name, None)
    metadata["resourceVersion"] = held["resourceVersion"]
    metadata["managedFields"] = held.get("managedFields", [])
    if target.subresource == "status":
        kept = metadata if kind.name == "Pod" else held
        after = {**before, "metadata": kept}
        after.pop("status", None)
        return after | ({"status": wanted["status"]} if "status" in wanted else {})
    after = {**wanted, "metadata": metadata, "apiVersion": before["apiVersion"]}
    if kind.status:
        after.pop("status", None)
        after |= {"status": before["status"]} if "status" in before else {}
    if kind.generation and _content(after) != _content(before):
        metadata["generation"] = held.get("generation", 0) + 1
    return after


def _content(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in ("metadata", "status")}


def _same(before: Document, after: Document) -> bool:
    """Whether a write says nothing new; the time of an entry alone is nothing new."""
    if before is after:
        return True
    bare = [{**each, "metadata": {**each["metadata"], "managedFields": None}} for each in (before, after)]
    if bare[0] != bare[1]:
        return False
    old, new = ({replace(owner, time="") for owner in ownership.owners_of(each)} for each in (before, after))
    return old == new


def _unversioned(kind: Kind, name: str) -> ApiError:
    told = "Invalid value: 0: must be specified for an update"
    return invalid(kind.plural, kind.group, name, [Cause("metadata.resourceVersion", "FieldValueInvalid", told)])


def _applied(
    target: Target, before: Document, kept: Document, writer: Owner, *, force: bool
) -> tuple[Document, list[Owner]]:
    node = component(target.kind.schema)
    owners = ownership.owners_of(before)
    after = ownership.merged(node, {**before, "apiVersion": kept["apiVersion"]}, kept)
    change = ownership.difference(node, before, after)
    taken = ownership.conflicts(owners, change, writer)
    if taken and not force:
        raise _conflict(taken)
    others = [each for each in owners if not each.same_writer(writer)]
    mine = [each for each in owners if each.same_writer(writer)]
    others = [replace(each, fields=each.fields - change.written) for each in others]
    held = frozenset().union(writer.fields, *(each.fields for each in others))
    dropped = frozenset().union(*(each.fields for each in mine)) - held
    after = ownership.without(node, after, dropped, held)
    after["metadata"] = {"name": target.name, **after.get("metadata", {})}
    return after, [*others, writer]


def _conflict(taken: list[tuple[Owner, ownership.Path]]) -> ApiError:
    causes = [
        Cause(ownership.shown(path), "FieldManagerConflict", f"conflict with {owner.title()}") for owner, path in taken
    ]
    groups: dict[str, list[str]] = {}
    for owner, path in taken:
        groups.setdefault(owner.title(), []).append(ownership.shown(path))
    lines = []
    for title, paths in groups.items():
        if len(paths) == 1:
            lines.append(f"conflict with {title}: {paths[0]}")
        else:
            lines.append(f"conflicts with {title}:\n" + "\n".join(f"- {path}" for path in paths))
    plural = "" if len(taken) == 1 else "s"
    message = f"Apply failed with {len(taken)} conflict{plural}: " + "\n".join(lines)
    listed = [each.document() for each in causes]
    return ApiError(409, "Conflict", message, details={"causes": listed})
