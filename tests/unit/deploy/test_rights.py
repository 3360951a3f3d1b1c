"""The role in the cluster: what the adapter asks for, and nothing more."""

import ast
from typing import Any

import pytest

from bot.mesh import kube_api
from bot.mesh.cluster import Cluster
from bot.mesh.kube_api import POD, Kind
from bot.mesh.rights import ROLES
from bot.mesh.rights import Right as Named
from bot.mesh.watch_cache import KINDS, OPTIONAL
from tests.unit.deploy.files import documents, sources

Right = tuple[str, str, str]  # group, resource, verb

# What each write of the adapter is called by Kubernetes' authorisation; a new method needs a line here.
OF_A_KIND = {"get": "get", "put": "update", "create": "create", "list": "list", "delete": "delete"}
OF_PODS = {"tail": ("pods/log", "get")}
# Asks whether others are granted; that everybody may, by a role of Kubernetes' own.
ASKS = {"require"}
# The modules that scale, create and delete; their rights are a role of their own.
WORKLOADS = {"capacity.py", "deploying.py", "keepsakes.py", "retiring.py", "sidecar_logs.py", "warming.py"}


def objects(kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in documents("deploy/rbac.yaml") if each["kind"] == kind}


def granted(role: str) -> set[Right]:
    rules = objects("ClusterRole")[role]["rules"]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def right(name: str) -> tuple[str, str]:
    """Group and resource of one of the adapter's kinds."""
    kind = getattr(kube_api, name)
    return kind.group, kind.plural


def asked(call: ast.Call) -> Right | None:
    match call:
        case ast.Call(func=ast.Attribute(attr=method), args=[ast.Name(id=name), *_]) if method in OF_A_KIND:
            return (*right(name), OF_A_KIND[method]) if isinstance(getattr(kube_api, name, None), Kind) else None
        case ast.Call(func=ast.Name(id="_put"), args=[_, ast.Name(id=name), *_]):
            # Reads the object and writes it: what is read is granted beside what is written.
            return (*right(name), "update")
        case ast.Call(func=ast.Attribute(attr=method)) if method in OF_PODS:
            return (POD.group, *OF_PODS[method])
        case _:
            return None


def asked_in(wanted: bool) -> set[Right]:
    """The rights that the modules of workloads, or all others, ask for."""
    found = set()
    for path, source in sources("bot/mesh").items():
        if (path.name in WORKLOADS) is wanted and path.name != "cluster.py":
            calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
            found |= {right for call in calls if (right := asked(call))}
    return found


def test_every_write_of_the_adapter_is_one_whose_right_is_known() -> None:
    methods = {name for name in vars(Cluster) if not name.startswith("_")}
    assert methods == OF_A_KIND.keys() | OF_PODS.keys() | ASKS


def test_only_the_cluster_and_the_watch_speak_to_the_api_server() -> None:
    speakers = {path.name for path, source in sources("bot/mesh").items() if "_connection.call(" in source}
    readers = {path.name for path, source in sources("bot/mesh").items() if "_connection.read(" in source}
    assert (speakers, readers) == ({"cluster.py"}, {"watch_source.py"})


def test_the_role_grants_what_watching_and_moving_routes_takes_and_nothing_more() -> None:
    watched = {(kind.group, kind.plural, verb) for kind in (*KINDS, *OPTIONAL) for verb in ("list", "watch")}
    assert granted("sluice") == watched | asked_in(wanted=False)


def test_the_role_for_workloads_adds_what_they_take_and_nothing_more() -> None:
    needed = asked_in(wanted=True)
    read = {(group, resource, "get") for group, resource, verb in needed if verb == "update"}
    assert granted("sluice-workloads") == (needed | read) - granted("sluice")


def test_the_role_for_adopting_adds_making_and_deleting_routes_and_rules() -> None:
    # Its one module writes whatever a change names; it plans changes of these two kinds alone.
    kinds = (kube_api.VIRTUAL_SERVICE, kube_api.DESTINATION_RULE)
    assert granted("sluice-adopt") == {
        (kind.group, kind.plural, verb) for kind in kinds for verb in ("create", "delete")
    }


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_refusal_names_the_role_of_the_file_that_gives_the_right(role: Any) -> None:
    found = [Named(verb, resource) for resource, verbs in ROLES[role].items() for verb in verbs]
    named = {(each.attributes["group"], each.resource.split(".")[0], each.verb) for each in found}
    assert named == granted(role.name)


def test_the_values_that_a_refusal_names_are_those_of_the_chart() -> None:
    (values,) = documents("deploy/chart/values.yaml")
    assert set(values["workloads"]) == {"bound", "adopting"}
    for role, value in (("sluice-workloads", "bound"), ("sluice-adopt", "adopting")):
        assert f"`workloads.{value}: true`" in next(each.how for each in ROLES if each.name == role)


def test_nobody_scales_or_deletes_anything_before_an_administrator_binds_the_role() -> None:
    bound = {each["roleRef"]["name"] for each in objects("ClusterRoleBinding").values()}
    assert bound == {"sluice"}


def test_the_binding_names_the_role_and_the_account_of_the_file() -> None:
    binding, account = objects("ClusterRoleBinding")["sluice"], objects("ServiceAccount")["sluice"]
    subject = {"kind": "ServiceAccount", **{key: account["metadata"][key] for key in ("name", "namespace")}}
    assert binding["roleRef"]["name"] in objects("ClusterRole")
    assert binding["subjects"] == [subject]
    assert account["metadata"]["namespace"] in objects("Namespace")
