"""Adopting a service: shown to whoever asks, done for a releaser who confirmed exactly that, and journalled."""

from uuid import uuid4

from bot.errors import Fault, Transient
from bot.ports import Adoption, Clock, Mesh
from bot.profiles import Profiles
from bot.requests import Adoptable, AdoptRequest, Answer, Said
from bot.surveys import SurveyRequest
from storage.database import Database
from storage.journal import Entry
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Role

ASKED, DONE = "AdoptionRequested", "AdoptionDone"


class Adoptions:
    """Answers `adopt`; a confirmed one is stored before it is acknowledged and done afterwards."""

    def __init__(self, database: Database, mesh: Mesh, profiles: Profiles, clock: Clock) -> None:
        self._journal = Journal(database, clock)
        self._mesh = mesh
        self._profiles = profiles

    def answer(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused:
        """The changes with a button; with the fingerprint of a click, the word that they are taken on."""
        found = self._mesh.adoption(self._survey(request), is_undo=request.is_undo)
        if isinstance(found, Refused) or not request.fingerprint:
            return found if isinstance(found, Refused) else Adoptable(found, request)
        if Role.RELEASER not in actor.roles:
            return Refused(ReasonCode.NOT_ALLOWED, "Only people with the releaser role may adopt a service.")
        if found.fingerprint != request.fingerprint:
            text = f"What is there changed since you were asked; ask again: adopt {request.service}."
            return Refused(ReasonCode.STALE_REVISION, text)
        verb = "taken back" if request.is_undo else "adopted"
        text = f"{request.service} is {verb} by {actor.name}: {', '.join(found.objects)}"
        if not self._record(request, actor, key, ASKED, text):
            return Refused(ReasonCode.ALREADY_DECIDED, "That was taken already; nothing was done twice.")
        return Said(f"{text}.")

    def done(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused:
        """Make the changes that were confirmed; takes as long as the cluster and its proxies do."""
        try:
            told = self._mesh.adopt(self._survey(request), request.fingerprint, is_undo=request.is_undo)
        except (Fault, Transient) as error:
            self._record(request, actor, f"{key}:done", DONE, f"failed: {error}")
            raise
        if isinstance(told, Refused):
            return told
        self._record(request, actor, f"{key}:done", DONE, told)
        undo = f" To take it back: adopt {request.service} undo." if not request.is_undo else ""
        return Said(f"{told}{undo}")

    def _survey(self, request: AdoptRequest) -> SurveyRequest:
        profile = self._profiles.find(request.service)
        if profile is None:
            return SurveyRequest(request.service, "", request.version)
        return SurveyRequest(profile.service, profile.namespace, request.version, version_label=profile.version_label)

    def _record(self, request: AdoptRequest, actor: Actor, key: str, event: str, text: str) -> bool:
        return self._journal.record(request.service, actor, key, event, text)


class Journal:
    """What becomes of an adoption, under `adopt:<service>`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(self, service: str, actor: Actor, key: str, event: str, text: str) -> bool:
        """False when the key was taken before."""
        entry = Entry(key, f"adopt:{service}", self._clock.now(), actor.id, actor.name, event, text=text)
        with self._database.transaction() as tx:
            return tx.journal.record(entry)

    def kept(self, mesh: Mesh, request: SurveyRequest, found: Adoption, who: str) -> str | Refused:
        """Make the changes that somebody was shown on the command line, with their own rights in the cluster."""
        actor, key = Actor(f"cli:{who}", who), f"adopt:{uuid4()}"
        verb = "taken back" if found.is_undo else "adopted"
        text = f"{request.service} is {verb} by {who}: {', '.join(found.objects)}"
        self.record(request.service, actor, key, ASKED, text)
        try:
            done = mesh.adopt(request, found.fingerprint, is_undo=found.is_undo)
        except (Fault, Transient) as error:
            self.record(request.service, actor, f"{key}:done", DONE, f"failed: {error}")
            raise
        self.record(request.service, actor, f"{key}:done", DONE, done.text if isinstance(done, Refused) else done)
        return done
