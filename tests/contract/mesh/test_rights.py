"""Each right of deploy/rbac.yaml on a real API server: taken away, missed by name, and used again once it is back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bot.errors import Fault, Transient
from bot.mesh import watch_source
from bot.mesh.rights import Right
from bot.ports import Adoption, Preparation
from tests.contract.mesh.conftest import a_namespace
from tests.contract.mesh.test_adopting import adopted, request, watched
from tests.contract.mesh.test_deploying import add_budget, preparing
from tests.contract.mesh.test_mesh import DELETE, FIVE, a_created_baseline, name_of
from tests.contract.mesh.test_sizes import add_autoscaler, promoting
from tests.contract.mesh.world import PATHS, Reach, WireWorld, an_order, the_release
from tests.contract.patience import until
from tests.mesh_documents import a_deployment, a_rule, a_subset
from tests.parts.service_account import AUTHORISATION, RBAC, ROLES, SLUICE, ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import httpx

    from tests.contract.kubernetes.cluster import Cluster

Rule = tuple[str, str, str]  # group, resource, verb
Act = Callable[[WireWorld], object]
ISTIO, BATCH = "networking.istio.io", "autoscaling"


def rules() -> list[Rule]:
    roles = [each for each in yaml.safe_load_all(RBAC.read_text()) if each["kind"] == "ClusterRole"]
    assert [role["metadata"]["name"] for role in roles] == list(ROLES)
    return [
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


GRANTED = rules()
WATCHES = [rule for rule in GRANTED if (*rule[:2], "watch") in GRANTED and rule[2] in {"list", "watch"}]
OF_A_KIND = {rule[:2] for rule in WATCHES}
PAUSE = 0.2
CALLS = [rule for rule in GRANTED if rule not in WATCHES]


def right(rule: Rule, namespace: str | None) -> Right:
    group, resource, verb = rule
    return Right(verb, f"{resource}.{group}" if group else resource, namespace)


def role(name: str, granted: Iterable[Rule]) -> dict[str, Any]:
    each = [{"apiGroups": [group], "resources": [what], "verbs": [verb]} for group, what, verb in granted]
    return {"metadata": {"name": name}, "rules": each}


@dataclass
class Holder:
    """An account with a role of its own in one namespace, whose rules a test gives and takes."""

    admin: httpx.Client
    account: ServiceAccount
    namespace: str
    path: str = field(init=False)

    def __post_init__(self) -> None:
        roles = f"{AUTHORISATION}/namespaces/{self.namespace}/roles"
        self.path = f"{roles}/own"
        self.admin.post(roles, json=role("own", [])).raise_for_status()
        self.account.bind("own", self.namespace, kind="Role")

    def holds(self, granted: list[Rule], *changed: Rule) -> None:
        """Exactly these rules, once the server knows of those that changed."""
        self.admin.put(self.path, json=role("own", granted)).raise_for_status()
        for rule in changed:
            self.account.awaits(dict(right(rule, self.namespace).attributes), is_allowed=rule in granted)


@pytest.fixture(scope="module")
def watcher(
    admin: httpx.Client, kube_apiserver: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServiceAccount, Reach]]:
    """An adapter that may watch everywhere, and nothing else before a namespace's own role says so."""
    account = ServiceAccount(admin, f"watcher-{uuid.uuid4().hex[:8]}")
    admin.post(f"{AUTHORISATION}/clusterroles", json=role(account.name, WATCHES)).raise_for_status()
    account.bind(account.name)
    folder = tmp_path_factory.mktemp("watcher")
    with closing(Reach(kube_apiserver, folder, token=account.token())) as reach:
        reach.mesh.start()
        yield account, reach


@pytest.fixture
def shop(admin: httpx.Client, watcher: tuple[ServiceAccount, Reach]) -> tuple[WireWorld, Holder]:
    """A shop of its own in which the adapter may do all that the file says."""
    account, reach = watcher
    world = WireWorld(reach, a_namespace())
    holder = Holder(admin, account, world.namespace)
    holder.holds(CALLS, *CALLS)
    world.until_watched()
    return world, holder


def moved(world: WireWorld) -> object:
    return world.mesh.set_route(name_of(world), lambda: [an_order(world, FIVE)])


def moved_beside_others(world: WireWorld) -> object:
    world.proxy.before = [lambda: world.edit(labelled)]
    return moved(world)


def subset_added(world: WireWorld) -> object:
    return world.mesh.prepare(the_release(world, "v3"))


def subset_added_beside_others(world: WireWorld) -> object:
    world.proxy.before = [lambda: world.edit(labelled, "DestinationRule")]
    with suppress(Transient):
        return subset_added(world)
    return subset_added(world)


def labelled(document: dict[str, Any]) -> None:
    document["metadata"]["labels"] = {"team": uuid.uuid4().hex[:8]}


def v3_stands(world: WireWorld) -> None:
    world.add(a_deployment("v3"))
    world.set_ready("v3", 1)


def nobody_is_ready(world: WireWorld) -> None:
    world.set_ready("v2", 0)


def asked_why(world: WireWorld) -> object:
    return world.mesh.prepare(the_release(world))


def baseline_has_both(world: WireWorld) -> None:
    add_autoscaler(world, "v1", minReplicas=1)
    add_budget(world)


def deployed(world: WireWorld) -> object:
    return world.mesh.prepare(preparing(world))


def grown(world: WireWorld) -> object:
    return world.mesh.capacity(promoting(world))


def held(world: WireWorld) -> None:
    world.mesh.set_sizes(promoting(world))


def v3_was_made(world: WireWorld) -> None:
    a_created_baseline(world)


def retired(world: WireWorld) -> object:
    target = replace(the_release(world).target, baseline="v3", subsets={"v3": "v3", "v2": "v2"})
    target = replace(target, workloads={"v3": "reviews-v3"})
    return world.mesh.retire(the_release(world, targets=(target,), rules=DELETE), lambda: True)


def logs_read(world: WireWorld) -> object:
    return world.mesh.last_lines(the_release(world, rules=DELETE))


def nothing_is_pinned(world: WireWorld) -> None:
    for kind in ("VirtualService", "DestinationRule"):
        world.cluster.delete(f"{PATHS[kind].format(world.namespace)}/reviews")
    until(lambda: watched(world) == [])


def all_is_pinned(world: WireWorld) -> None:
    nothing_is_pinned(world)
    adopted(world)
    until(lambda: isinstance(world.mesh.adoption(request(world), is_undo=True), Adoption))


def let_go(world: WireWorld) -> object:
    return adopted(world, is_undo=True)


def nothing(world: WireWorld) -> None:
    """The shop as it is."""


# What each right is for: what must stand there, and what cannot be done without it.
USES: dict[Rule, tuple[Act, Act]] = {
    (ISTIO, "virtualservices", "get"): (nothing, moved_beside_others),
    (ISTIO, "virtualservices", "update"): (nothing, moved),
    (ISTIO, "virtualservices", "create"): (nothing_is_pinned, adopted),
    (ISTIO, "virtualservices", "delete"): (all_is_pinned, let_go),
    (ISTIO, "destinationrules", "get"): (v3_stands, subset_added_beside_others),
    (ISTIO, "destinationrules", "update"): (v3_stands, subset_added),
    (ISTIO, "destinationrules", "create"): (nothing_is_pinned, adopted),
    (ISTIO, "destinationrules", "delete"): (all_is_pinned, let_go),
    ("", "events", "list"): (nobody_is_ready, asked_why),
    ("", "pods/log", "get"): (nothing, logs_read),
    ("apps", "deployments", "get"): (nothing, deployed),
    ("apps", "deployments", "create"): (nothing, deployed),
    ("apps", "deployments", "update"): (nothing, grown),
    ("apps", "deployments", "delete"): (v3_was_made, retired),
    (BATCH, "horizontalpodautoscalers", "get"): (baseline_has_both, deployed),
    (BATCH, "horizontalpodautoscalers", "create"): (baseline_has_both, deployed),
    (BATCH, "horizontalpodautoscalers", "update"): (baseline_has_both, held),
    ("policy", "poddisruptionbudgets", "list"): (baseline_has_both, deployed),
    ("policy", "poddisruptionbudgets", "create"): (baseline_has_both, deployed),
}
# Without these Sluice works on, and says in its log and in `/readyz` what it did not learn.
SPARED = {("", "events", "list"), ("", "pods/log", "get")}


def test_each_right_of_the_file_has_its_use() -> None:
    assert set(USES) == set(CALLS)


@pytest.mark.parametrize("rule", USES, ids=" ".join)
def test_a_right_that_lacks_is_named_and_nothing_is_half_done(shop: tuple[WireWorld, Holder], rule: Rule) -> None:
    world, holder = shop
    before, act = USES[rule]
    before(world)
    held, lacking = specs(world), right(rule, world.namespace).lacking
    assert "bind the role sluice" in lacking
    holder.holds([each for each in CALLS if each != rule], rule)
    if rule in SPARED:
        act(world)
    else:
        with pytest.raises(Fault) as caught:
            act(world)
        assert lacking in str(caught.value)
    assert specs(world) == held
    assert lacking_here(world) == [f"{lacking}."]
    holder.holds(CALLS, rule)
    act(world)
    assert lacking_here(world) == []
    assert (specs(world) != held) is (rule not in SPARED)


def test_what_the_rules_take_later_is_asked_for_before_the_first_write(shop: tuple[WireWorld, Holder]) -> None:
    world, holder = shop
    v3_stands(world)
    release, before = the_release(world, "v3", rules=replace(DELETE, scale=True)), specs(world)
    later = [("apps", "deployments", "update"), ("apps", "deployments", "delete")]
    holder.holds([each for each in CALLS if each not in later], *later)
    with pytest.raises(Fault, match="Nothing was begun") as caught:
        world.mesh.prepare(release)
    assert all(right(rule, world.namespace).lacking in str(caught.value) for rule in later)
    assert specs(world) == before
    holder.holds(CALLS, *later)
    assert isinstance(world.mesh.prepare(release), Preparation)


def lacking_here(world: WireWorld) -> list[str]:
    return [each for each in world.mesh.lacking() if f"namespace {world.namespace};" in each]


def specs(world: WireWorld) -> dict[str, object]:
    """All that Sluice may write in the shop."""
    kinds = ("VirtualService", "DestinationRule", "Deployment")
    found = {f"{kind} {each['metadata']['name']}": each["spec"] for kind in kinds for each in world.all(kind)}
    scalers = world.cluster.get(f"/apis/autoscaling/v2/namespaces/{world.namespace}/horizontalpodautoscalers")
    return found | {f"scaler {each['metadata']['name']}": each["spec"] for each in scalers["items"]}


@pytest.fixture
def stranger(
    kube_apiserver: Cluster, admin: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[WireWorld, Holder]]:
    """A shop, and an adapter for it that is not started, has no right at all, and asks again soon."""
    monkeypatch.setattr(watch_source, "REFUSED_PAUSE", PAUSE)
    monkeypatch.setattr(watch_source, "PAUSES", (PAUSE,))
    account = ServiceAccount(admin, a_namespace())
    with closing(Reach(kube_apiserver, tmp_path, (account.name,), token=account.token())) as reach:
        world = WireWorld(reach, account.name)
        yield world, Holder(admin, account, account.name)


def test_each_watch_that_is_forbidden_is_named_and_begins_when_it_is_granted(
    stranger: tuple[WireWorld, Holder],
) -> None:
    world, holder = stranger
    began = time.monotonic()
    world.mesh.start()
    granted: list[Rule] = []
    for rule in sorted(WATCHES, key=lambda each: each[2]):
        names_only(world, granted)
        granted.append(rule)
        holder.holds(granted)
    world.until_watched()
    assert world.mesh.lacking() == []
    # Fourteen rights were waited for: nobody asks faster than they pause.
    assert len(world.proxy.seen) <= len(OF_A_KIND) * ((time.monotonic() - began) / PAUSE + 1)


def test_a_watch_whose_right_is_taken_away_is_named_when_it_ends(stranger: tuple[WireWorld, Holder]) -> None:
    world, holder = stranger
    holder.holds(WATCHES, *WATCHES)
    world.mesh.start()
    world.until_watched()
    pods = ("", "pods", "watch")
    left = [rule for rule in WATCHES if rule != pods]
    holder.holds(left, pods)
    world.proxy.end_watches()
    names_only(world, left)
    holder.holds(WATCHES, pods)
    until(lambda: not world.mesh.troubles())


def test_rules_of_callers_elsewhere_are_written_by_a_binding_there_and_no_right_in_all_namespaces(
    kube_apiserver: Cluster, admin: httpx.Client, tmp_path: Path
) -> None:
    home, callers = a_namespace(), a_namespace()
    account = ServiceAccount(admin, home)
    account.settle(callers)
    rules_of_callers = PATHS["DestinationRule"].format(callers)
    with closing(Reach(kube_apiserver, tmp_path, (home, callers), token=account.token())) as reach:
        world = WireWorld(reach, home)
        rule = a_rule(a_subset("v1"), namespace=callers, host=f"reviews.{home}.svc.cluster.local")
        kube_apiserver.create(rules_of_callers, rule)
        for namespace in (home, callers):
            account.bind(SLUICE, namespace)
        account.awaits(dict(Right("list", "pods").attributes), is_allowed=False)
        reach.mesh.start()
        world.until_watched()
        v3_stands(world)
        assert isinstance(subset_added(world), Preparation)
        both = [world.read("DestinationRule"), kube_apiserver.get(f"{rules_of_callers}/reviews")]
        assert all(each["spec"]["subsets"][-1]["name"] == "v3" for each in both)


def names_only(world: WireWorld, granted: list[Rule]) -> None:
    """Wait until exactly the kinds that are not watched are named, each by the right that it lacks first."""
    lacking: dict[tuple[str, str], str] = {}
    for rule in sorted(set(WATCHES) - set(granted), key=lambda each: each[2]):
        lacking.setdefault(rule[:2], right(rule, world.namespace).lacking)
    until(lambda: named(world) == set(lacking.values()))


def named(world: WireWorld) -> set[str]:
    told = [*world.mesh.troubles(), *world.mesh.lacking()]
    every = {right(rule, world.namespace).lacking for rule in WATCHES}
    return {lacking for lacking in every if any(lacking in each for each in told)}
