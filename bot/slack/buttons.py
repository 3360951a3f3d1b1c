"""Buttons: what they carry, and what a click on one asks for; foreign or garbled clicks are refused, never raised."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.requests import (
    AdoptRequest,
    ApproveRequest,
    DriftRequest,
    PauseRequest,
    Request,
    ResumeRequest,
    RollbackRequest,
)
from bot.slack.grammar import looks_like_release
from strategies.events import DriftChoice
from strategies.reasons import ReasonCode, Refused

ADOPT = "release_adopt"
APPROVE = "release_approve"
PAUSE = "release_pause"
RESUME = "release_resume"
ROLL_BACK = "release_roll_back"
DRIFT = {choice: f"release_drift_{choice.value}" for choice in DriftChoice}
_PRINT = re.compile(r"[0-9a-f]{8}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", re.ASCII)
_BLOCK = re.compile(r"(?:gate|card):(?P<release>[a-z0-9.-]+-\d+):(?P<stage>-?\d{1,4}):(?P<revision>\d{1,9})", re.ASCII)
_FOREIGN = Refused(
    ReasonCode.BAD_INPUT, "That button is not one of ours or is damaged; nothing was changed. Ask for a fresh card."
)


@dataclass(frozen=True, slots=True)
class Place:
    """The question a button belongs to: which release, stage and revision."""

    release: str
    stage: int
    revision: int

    @property
    def block_id(self) -> str:
        """The block id of the question's buttons."""
        return f"gate:{self.release}:{self.stage}:{self.revision}"

    @property
    def card_id(self) -> str:
        """The block id that tells which release a message without buttons is about."""
        return f"card:{self.release}:{self.stage}:{self.revision}"

    def value(self, acknowledged: bool = False) -> str:
        """What a button carries; `acknowledged` when its confirm named what is missing."""
        content: dict[str, object] = {"r": self.release, "s": self.stage, "v": self.revision}
        return json.dumps(content | ({"w": 1} if acknowledged else {}), separators=(",", ":"))


def place_of(block_id: str) -> Place | None:
    """The question that a block id names, None when it names none."""
    found = _BLOCK.fullmatch(block_id)
    return Place(found["release"], int(found["stage"]), int(found["revision"])) if found else None


def adoption_value(request: AdoptRequest, fingerprint: str) -> str:
    """What the button of an adoption carries: the question, and the fingerprint of what was shown."""
    content = {"n": request.service, "v": request.version, "u": int(request.is_undo), "f": fingerprint}
    return json.dumps(content, separators=(",", ":"))


def parse(action: Mapping[str, object]) -> Request | Refused:
    """What one action of a click asks for; block id and value must tell the same story."""
    if action.get("action_id") == ADOPT:
        return _adoption(action.get("value"))
    read = _value(action.get("value"))
    block = place_of(str(action.get("block_id", "")))
    if read is None or block is None or block != read[0]:
        return _FOREIGN
    place, acknowledged = read
    action_id = action.get("action_id")
    choice = next((choice for choice, name in DRIFT.items() if name == action_id), None)
    if choice is not None:
        return DriftRequest(place.release, choice.value, place.revision)
    match action_id:
        case "release_approve":
            return ApproveRequest(place.release, revision=place.revision, acknowledged=acknowledged)
        case "release_pause":
            return PauseRequest(place.release, revision=place.revision)
        case "release_resume":
            return ResumeRequest(place.release, revision=place.revision)
        case "release_roll_back":
            return RollbackRequest(place.release)
        case _:
            return _FOREIGN


def _adoption(text: object) -> Request | Refused:
    try:
        content = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return _FOREIGN
    if not isinstance(content, dict) or content.keys() != {"n", "v", "u", "f"} or content["u"] not in (0, 1):
        return _FOREIGN
    named = {key: content[key] for key in ("n", "v", "f")}
    if any(not isinstance(each, str) for each in named.values()) or not _PRINT.fullmatch(named["f"]):
        return _FOREIGN
    if not _NAME.fullmatch(named["n"]) or (named["v"] and not _NAME.fullmatch(named["v"])):
        return _FOREIGN
    return AdoptRequest(named["n"], named["v"], content["u"] == 1, named["f"])


def _value(text: object) -> tuple[Place, bool] | None:
    if not isinstance(text, str):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.keys() - {"w"} != {"r", "s", "v"}:
        return None
    release, stage, revision = content["r"], content["s"], content["v"]
    if type(stage) is not int or type(revision) is not int or not isinstance(release, str):
        return None
    if not looks_like_release(release):
        return None
    return Place(release, stage, revision), content.get("w") == 1
