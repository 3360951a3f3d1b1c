"""A scrape target, as the stand-in scrapes it and as the real Prometheus reads it from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """One page to scrape; `labels` are added to every series of it."""

    job: str
    url: str
    labels: Mapping[str, str] = field(default_factory=dict)
    interval: float = INTERVAL

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels after Prometheus' own rules: job, and instance unless one is given."""
        given = {name: value for name, value in self.labels.items() if not name.startswith("__")}
        return {"job": self.job, "instance": urlsplit(self.url).netloc, **given}

    @property
    def discovered_labels(self) -> dict[str, str]:
        """The labels before relabelling, which carry the address, path and interval."""
        parts = urlsplit(self.url)
        parameters = {f"__param_{name}": values[0] for name, values in parse_qs(parts.query).items()}
        return {
            "__address__": parts.netloc,
            "__metrics_path__": parts.path or "/metrics",
            "__scheme__": parts.scheme,
            "__scrape_interval__": duration(self.interval),
            "__scrape_timeout__": duration(self.interval),
            "job": self.job,
            **parameters,
            **self.labels,
        }

    def file_sd_entry(self) -> dict[str, object]:
        """The entry of a file_sd document that makes Prometheus scrape the same page the same way."""
        labels = self.discovered_labels
        return {"targets": [labels.pop("__address__")], "labels": labels}


# Pods come and go, so a list may also be asked for anew.
Targets = Sequence[Target] | Callable[[], Sequence[Target]]


def current(targets: Targets) -> tuple[Target, ...]:
    """The targets of this moment."""
    return tuple(targets() if callable(targets) else targets)


def duration(seconds: float) -> str:
    """A Prometheus duration in whole milliseconds."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"
