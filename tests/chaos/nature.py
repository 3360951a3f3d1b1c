"""What happens to the bot's surroundings: processes, neighbours, pods, other people's edits."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack import Fault, FaultKind
from tests.chaos import routes
from tests.chaos.doors import Door, Trouble
from tests.chaos.replicas import Replica, State
from tests.chaos.shop import deployment, destination_rule, timing, virtual_service

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.chaos.ledger import Spell
    from tests.chaos.shop import Service
    from tests.chaos.world import World

Document = dict[str, Any]
STARTED = 5.0
KUBERNETES = tuple(Trouble)
PROMETHEUS = (Trouble.REFUSED, Trouble.HANGING, Trouble.ERRORS, Trouble.LIMITED, Trouble.SLOW)
SLACK = (
    Fault(kind=FaultKind.ABORT),
    Fault(kind=FaultKind.STATUS, status=500),
    Fault(kind=FaultKind.SLOW, seconds=2.0),
    Fault(kind=FaultKind.LOSE_REPLY),
    Fault(kind=FaultKind.RATE_LIMIT, seconds=1.0),
)


class Nature:
    """What it begins it ends again, at the time that was drawn or when everything is healed."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._ahead: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._endings: deque[Callable[[], None]] = deque()

    def pass_time(self) -> None:
        """End what was to end by now, and tell of replicas that ended by themselves."""
        while self._ahead and self._ahead[0][0] <= time.monotonic():
            heapq.heappop(self._ahead)[2]()
        while self._endings:
            self._endings.popleft()()
        for replica in self._world.replicas:
            if replica.has_ended_by_itself():
                self._world.ledger.say("ENDED BY ITSELF", replica.name)
                self._revive(replica, self._world.ledger.wrong(f"{replica.name} is dead"))

    def heal(self) -> None:
        """End everything at once."""
        while self._ahead:
            heapq.heappop(self._ahead)[2]()
        while any(replica.state is State.ENDING for replica in self._world.replicas):
            time.sleep(0.1)
        while self._ahead or self._endings:
            self.pass_time()
            time.sleep(0.1)
        for replica in self._world.replicas:
            if replica.state is State.DEAD:
                replica.start()
            replica.child.ready(40)

    def kill(self) -> None:
        """SIGKILL, and another life later."""
        replica = self._one(State.RUNNING, State.FROZEN)
        if replica is not None:
            spell = self._world.ledger.wrong(f"{replica.name} is killed")
            replica.kill()
            self._later(self._draw(0.2, 6), lambda: self._revive(replica, spell))

    def terminate(self) -> None:
        """SIGTERM, and another life later."""
        replica = self._one(State.RUNNING)
        # Before it has told the system to let it know, a signal ends it like any program, and nothing has begun.
        if replica is None or time.monotonic() - replica.began < STARTED:
            return
        now = time.time()
        is_calm = self._world.ledger.is_calm(now - 6, now)
        spell = self._world.ledger.wrong(f"{replica.name} is ended")
        replica.state = State.ENDING

        def ended() -> None:
            replica.end(is_calm=is_calm)
            # Its next life begins when this one is over, and everything else goes on meanwhile.
            self._endings.append(lambda: self._revive(replica, spell))

        threading.Thread(target=ended, daemon=True).start()

    def freeze(self) -> None:
        """SIGSTOP, longer than a lease now and then."""
        replica = self._one(State.RUNNING)
        if replica is None:
            return
        spell = self._world.ledger.wrong(f"{replica.name} is frozen")
        replica.freeze()

        def thawed() -> None:
            if replica.state is State.FROZEN:
                replica.thaw()
            self._world.ledger.right(spell)

        self._later(self._chance.choice([0.3, 2, 5, 12, 18]), thawed)

    def fail_kubernetes(self) -> None:
        """The API server, for one replica or for all."""
        self._fail([each.kubernetes for each in self._some()], self._chance.choice(KUBERNETES))

    def fail_prometheus(self) -> None:
        """Prometheus, for one replica or for all."""
        self._fail([each.prometheus for each in self._some()], self._chance.choice(PROMETHEUS))

    def fail_database(self) -> None:
        """PostgreSQL is away or swallows everything."""
        gates = [each.database for each in self._some() if each.database is not None]
        is_away = self._chance.random() < 0.5
        if not gates:
            return
        spell = self._world.ledger.wrong(f"database {'refused' if is_away else 'hanging'} for {len(gates)}")
        for gate in gates:
            self._world.loop.run(gate.shut() if is_away else gate.stall())

        def over() -> None:
            for gate in gates:
                self._world.loop.run(gate.open() if is_away else gate.flow())
            self._world.ledger.right(spell)

        self._later(self._draw(0.3, 8), over)

    def fail_slack(self) -> None:
        """Slack is away, or answers amiss."""
        slack, loop = self._world.slack, self._world.loop
        if self._chance.random() < 0.25:
            loop.run(slack.refuse_connections())
            self._world.ledger.say("slack away")
            self._later(self._draw(0.5, 6), lambda: loop.run(slack.accept_connections()))
            return
        fault = self._chance.choice(SLACK)
        loop.read(lambda: slack.faults.add(fault))
        self._world.ledger.say("slack fault", fault.kind.value)
        self._later(self._draw(0.5, 6), lambda: loop.read(slack.faults.clear))

    def drop_sockets(self) -> None:
        """Slack cuts every Socket Mode connection."""
        self._world.loop.read(self._world.slack.sockets.drop)
        self._world.ledger.say("sockets dropped")

    def hurt(self) -> None:
        """A version answers errors for a while."""
        one, version = self._service(), self._chance.choice(["v2", "v2", "v1"])
        self._world.ledger.say("errors", f"{one.name} {version}")
        one.errors[version] = self._chance.choice([0.3, 0.6, 1.0])
        self._later(self._draw(2, 15), one.errors.clear)

    def lose_pods(self) -> None:
        """A version has no ready pod for a while."""
        one, version = self._service(), self._chance.choice(["v2", "v2", "v1"])
        spell = self._world.ledger.wrong(f"pods of {one.name}-{version}")
        one.unready.add(version)

        def over() -> None:
            one.unready.discard(version)
            self._world.ledger.right(spell)

        self._later(self._draw(1, 12), over)

    def edit_weights(self) -> None:
        """Somebody writes other weights into the route that a release moves."""
        one = self._service()
        share = self._chance.choice([0, 15, 30, 70, 100])

        def edit(document: Document) -> None:
            route = routes.main(document)
            if route is not None:
                host = {"host": one.name}
                shares = (("v1", 100 - share), ("v2", share))
                route["route"] = [{"destination": {**host, "subset": name}, "weight": each} for name, each in shares]

        self._edit("virtualservices", self._chance.choice(one.routes), edit)

    def edit_beside(self) -> None:
        """Somebody edits something that is not ours."""
        one, figure = self._service(), self._chance.randint(1, 60)

        def edit(document: Document) -> None:
            match figure % 4:
                case 0:
                    document["metadata"].setdefault("labels", {})["team"] = f"t{figure}"
                case 1:
                    document["spec"]["http"][0]["timeout"] = f"{figure}s"
                case 2 if (route := routes.main(document)) is not None:
                    route["timeout"] = f"{figure}s"
                case _:
                    document["metadata"].setdefault("annotations", {})["note"] = f"n{figure}"

        self._edit("virtualservices", self._chance.choice(one.routes), edit)

    def edit_rule(self) -> None:
        """Somebody edits the DestinationRule: a policy, or one subset less."""
        one = self._service()
        takes_away = self._chance.random() < 0.4

        def edit(document: Document) -> None:
            if takes_away:
                document["spec"]["subsets"] = [each for each in document["spec"]["subsets"] if each["name"] == "v1"]
            else:
                pool = {"http": {"http1MaxPendingRequests": self._chance.randint(1, 999)}}
                document["spec"]["trafficPolicy"] = {"connectionPool": pool}

        self._edit("destinationrules", one.name, edit)

    def delete_deployment(self) -> None:
        """Somebody deletes a Deployment and brings it back."""
        one, version = self._service(), self._chance.choice(["v2", "v2", "v1"])
        name = f"{one.name}-{version}"
        self._away("deployments", name, deployment(one.name, version))

    def delete_route(self) -> None:
        """Somebody deletes a VirtualService and brings it back as it was at first."""
        one = self._service()
        name = self._chance.choice(one.routes)
        self._away("virtualservices", name, virtual_service(one.name, name))

    def delete_rule(self) -> None:
        """Somebody deletes a DestinationRule and brings it back as it was at first."""
        one = self._service()
        self._away("destinationrules", one.name, destination_rule(one.name))

    def change_profile(self) -> None:
        """Somebody gives a service other holds and limits."""
        one = self._service()
        one.profile |= timing(self._chance)
        self._world.write_profile(one)
        self._world.ledger.say("profile", one.name)

    def _fail(self, doors: list[Door], trouble: Trouble) -> None:
        ledger, loop = self._world.ledger, self._world.loop
        spell = ledger.wrong(f"{' and '.join(door.name for door in doors)} {trouble}")
        for door in doors:
            loop.run(door.suffer(trouble))

        def over() -> None:
            for door in doors:
                loop.run(door.heal())
            ledger.right(spell)

        self._later(self._draw(0.3, 9), over)

    def _away(self, plural: str, name: str, document: Document) -> None:
        cluster, loop = self._world.cluster, self._world.loop
        spell = self._world.ledger.wrong(f"{plural} {name} deleted")
        loop.run(cluster.delete(plural, name))

        def back() -> None:
            loop.run(cluster.create(plural, document))
            self._world.ledger.right(spell)

        self._later(self._draw(0.2, 8), back)

    def _edit(self, plural: str, name: str, edit: Callable[[Document], None]) -> None:
        edited = self._world.loop.run(self._world.cluster.edit(plural, name, edit))
        if edited is not None:
            self._world.ledger.edits.append((plural, edited))
            self._world.ledger.say(f"edit {plural}", f"{name} {edited['metadata']['resourceVersion']}")

    def _revive(self, replica: Replica, spell: Spell) -> None:
        if replica.state is State.DEAD or replica.has_ended_by_itself():
            replica.start()
        # It listens some two seconds later.
        self._later(4, lambda: self._world.ledger.right(spell))

    def _one(self, *states: State) -> Replica | None:
        found = [each for each in self._world.replicas if each.state in states]
        return self._chance.choice(found) if found else None

    def _some(self) -> list[Replica]:
        everybody = self._world.replicas
        return list(everybody) if self._chance.random() < 0.5 else [self._chance.choice(everybody)]

    def _service(self) -> Service:
        return self._chance.choice(self._world.services)

    def _draw(self, least: float, most: float) -> float:
        return self._chance.uniform(least, most)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._ahead, (time.monotonic() + seconds, next(self._numbers), act))
