"""The tour as a document: every key is a contract."""

from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class StageReport:
    """One split that the proxy served, by the proxy's own counters.

    `matches` are the routes inserted before the service's own, `mirror` the percent that is copied to v2, `mirrored`
    how many copies the proxy sent, `doors` what came in by a gateway and as connections, by version.
    """

    n: int
    asked: dict[str, int]
    started: str
    requests: dict[str, int] = field(default_factory=dict)
    share: dict[str, float] = field(default_factory=dict)
    verdict: str | None = None
    ended: str | None = None
    approved_by: str | None = None
    matches: list[str] = field(default_factory=list)
    mirror: float | None = None
    mirrored: int = 0
    doors: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def reaches(self) -> bool:
        """Whether v2 got anything."""
        return bool(self.asked.get("v2") or self.matches or self.mirror)


@dataclass(slots=True)
class StoryReport:
    """One story; `broken` names the expectation that did not hold."""

    name: str
    strategy: str
    release: str | None = None
    end_phase: str | None = None
    fault_to_restored_s: float | None = None
    failed_requests: int = 0
    pictures: list[str] = field(default_factory=list)
    stages: list[StageReport] = field(default_factory=list)
    broken: str = ""


@dataclass(slots=True)
class TourReport:
    """All stories of a tour."""

    stories: list[StoryReport] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every story ended as told."""
        return bool(self.stories) and not any(story.broken for story in self.stories)

    def document(self) -> dict[str, object]:
        """The report as JSON; a broken expectation, matches and copies are named beside the contract's keys."""
        stories = []
        for story in self.stories:
            shown = asdict(story)
            if not shown["broken"]:
                del shown["broken"]
            shown["stages"] = [_without_nothing(stage) for stage in shown["stages"]]
            stories.append(shown)
        return {"ok": self.ok, "seconds": round(self.seconds, 1), "stand_ins": self.stand_ins, "stories": stories}


def _without_nothing(stage: dict[str, object]) -> dict[str, object]:
    beside = ("matches", "mirror", "mirrored", "doors")
    return {key: value for key, value in stage.items() if key not in beside or value}
