"""What a plan would make of manifests in files, stage by stage: objects, text and diff."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.mesh.documents import Document, canonical, full_name
from bot.mesh.virtual_service import capture, edit
from bot.offline.manifests import Manifest, Source, Unreadable, read
from bot.offline.target import Found, Wanted, find, unsettled
from bot.offline.text_edits import CannotEdit, Change, edited
from bot.ports import RouteOrder
from strategies.plan import Plan, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import Route, Split

Planner = Callable[[Target], Plan | Refused]


@dataclass(frozen=True, slots=True)
class StageEdit:
    """One stage: its split, the whole objects after it, the text of each file that changes, and the diff of all."""

    stage: Stage
    split: Split
    objects: tuple[Document, ...]
    texts: Mapping[str, str]
    diff: str


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The plan over the files; `rollback` are the objects as they stand in them, `before` the files' texts."""

    target: Target
    plan: Plan
    stages: tuple[StageEdit, ...]
    rollback: tuple[Document, ...]
    before: Mapping[str, str]
    knows_subsets: bool


def plan(sources: Sequence[Source], wanted: Wanted, planner: Planner) -> FilePlan | Refused:
    """What `planner` makes of the route that `wanted` finds in the files; refused as a start would be."""
    found = find([each for source in sources for each in source.manifests], wanted)
    if isinstance(found, Refused):
        return found
    planned = planner(found.target)
    if isinstance(planned, Refused):
        return planned
    originals = _originals(found)
    if isinstance(originals, Refused):
        return originals
    stages: list[StageEdit] = []
    for stage in planned.stages:
        written = _stage(sources, found, stage, stage.splits[found.target.service], originals)
        if isinstance(written, Refused):
            return written
        stages.append(written)
    before = [manifest.document for manifest, _ in found.objects]
    before += [found.rule.document] if found.rule is not None else []
    texts = {source.name: source.text for source in sources}
    return FilePlan(found.target, planned, tuple(stages), tuple(before), texts, found.knows_subsets)


def _originals(found: Found) -> Mapping[str, str] | Refused:
    """Each route's fields before the plan, by the route's key."""
    originals: dict[str, str] = {}
    for _, document in found.objects:
        for route in _routes(found, document):
            captured = capture(document, route, found.target)
            if isinstance(captured, Refused):
                return captured
            originals[route.key] = captured
    return originals


def _routes(found: Found, document: Document) -> list[Route]:
    name = full_name(document)
    return [each for each in found.target.routes if f"{each.namespace}/{each.virtual_service}" == name]


def _stage(
    sources: Sequence[Source], found: Found, stage: Stage, split: Split, originals: Mapping[str, str]
) -> StageEdit | Refused:
    changes: list[tuple[Manifest, Document]] = []
    for manifest, document in found.objects:
        routes = _routes(found, document)
        after = edit(document, [RouteOrder("", 1, each, found.target, split, originals[each.key]) for each in routes])
        if isinstance(after, Refused):
            return after
        changes.append((manifest, unsettled(after, manifest)))
    if found.rule is not None and found.rule_after is not None and split.reaches(found.target.candidate):
        changes.append((found.rule, unsettled(found.rule_after, found.rule)))
    texts: dict[str, str] = {}
    diffs: list[str] = []
    for source in sources:
        own = [(manifest, document) for manifest, document in changes if any(manifest is m for m in source.manifests)]
        text = _text(source, own)
        if isinstance(text, Refused):
            return text
        if text != source.text:
            texts[source.name] = text
            diffs.append(diff(source.name, source.text, text))
    return StageEdit(stage, split, tuple(document for _, document in changes), texts, "".join(diffs))


def _text(source: Source, changes: Sequence[tuple[Manifest, Document]]) -> str | Refused:
    """The file's text with the changes in it, proven by reading it again."""
    try:
        text = edited(source.text, [Change(manifest.node, manifest.document, after) for manifest, after in changes])
        now = [each.document for each in read(source.name, text.encode()).manifests]
    except (CannotEdit, Unreadable) as error:
        return _refused(source.name, str(error))
    wanted = [next((after for each, after in changes if each is m), m.document) for m in source.manifests]
    if canonical(now) != canonical(wanted):
        return _refused(source.name, "what would change is written in another place, such as an anchor")
    return text


def _refused(name: str, why: str) -> Refused:
    text = f"{name} cannot be edited line by line: {why}. Write the route out in plain YAML."
    return Refused(ReasonCode.UNSUPPORTED_KIND, text)


def diff(name: str, before: str, after: str) -> str:
    """The unified diff of a file, as `patch` takes it."""
    path = name.lstrip("/")
    lines = difflib.unified_diff(_lines(before), _lines(after), fromfile=f"a/{path}", tofile=f"b/{path}")
    return "".join(each if each.endswith("\n") else f"{each}\n\\ No newline at end of file\n" for each in lines)


def _lines(text: str) -> list[str]:
    # Only the line feed ends a line of a file; Python's own splitting knows nine more ends.
    return re.findall(r"[^\n]*\n|[^\n]+", text)
