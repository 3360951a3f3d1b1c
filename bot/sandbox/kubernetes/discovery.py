"""What the server says of itself: groups, resources, version."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.kinds import KINDS, Kind
from bot.sandbox.kubernetes.reviews import REVIEW_GROUP, REVIEWS
from bot.sandbox.kubernetes.schemas import components

if TYPE_CHECKING:
    from bot.sandbox.kubernetes.store import Document

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
PART_VERBS = ["get", "patch", "update"]
VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0+sluice-sandbox",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": f"python{platform.python_version()}",
    "platform": f"{platform.system().lower()}/{platform.machine()}",
}


def core_versions() -> Document:
    """`/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> Document:
    """`/apis`."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _versions()]}


def group(name: str) -> Document | None:
    """`/apis/{group}`, if it is served."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)} if name in _versions() else None


def resource_list(group_name: str, version: str) -> Document | None:
    """`/apis/{group}/{version}`, if it is served."""
    found: list[dict[str, Any]] = []
    for kind in KINDS:
        if kind.group == group_name and version in kind.versions:
            found += _resources(kind)
    if (group_name, version) == (REVIEW_GROUP, "v1"):
        found += [_review(plural, name) for plural, name in REVIEWS.items()]
    if not found:
        return None
    named = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": named, "resources": found}


def openapi_index() -> Document:
    """`/openapi/v3`: one document for each served group and version."""
    paths = [f"apis/{kind.group}/{version}" for kind in KINDS if kind.group for version in kind.versions]
    served = ["api/v1", *dict.fromkeys(paths)]
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in served}}


def openapi(group_name: str, version: str) -> Document | None:
    """`/openapi/v3/...`: the schemas, and that each kind's writes take `fieldValidation`."""
    kinds = [kind for kind in KINDS if kind.group == group_name and version in kind.versions]
    if not kinds:
        return None
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": {_object_path(kind, version): {"patch": _patch(kind, version)} for kind in kinds},
        "components": {"schemas": components()},
    }


def _object_path(kind: Kind, version: str) -> str:
    root = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    return f"{root}{'/namespaces/{namespace}' if kind.namespaced else ''}/{kind.plural}/{{name}}"


def _patch(kind: Kind, version: str) -> dict[str, Any]:
    validation = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    described = {"group": kind.group, "version": version, "kind": kind.name}
    return {
        "parameters": [validation],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": described,
    }


def _versions() -> dict[str, tuple[str, ...]]:
    return {kind.group: kind.versions for kind in KINDS if kind.group} | {REVIEW_GROUP: ("v1",)}


def _group(name: str) -> dict[str, Any]:
    served = [{"groupVersion": f"{name}/{each}", "version": each} for each in _versions()[name]]
    return {"name": name, "versions": served, "preferredVersion": served[0]}


def _resources(kind: Kind) -> list[dict[str, Any]]:
    bare = {"singularName": "", "namespaced": kind.namespaced, "kind": kind.name}
    whole = {"name": kind.plural, **bare, "singularName": kind.name.lower(), "verbs": VERBS}
    if kind.short_names:
        whole["shortNames"] = list(kind.short_names)
    found = [whole]
    if kind.status:
        found.append({"name": f"{kind.plural}/status", **bare, "verbs": PART_VERBS})
    if kind.scale:
        scale = {"group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": PART_VERBS}
        found.append({"name": f"{kind.plural}/scale", **bare, **scale})
    return found


def _review(plural: str, name: str) -> dict[str, Any]:
    namespaced = plural.startswith("local")
    return {
        "name": plural,
        "singularName": name.lower(),
        "namespaced": namespaced,
        "kind": name,
        "verbs": ["create"],
    }
