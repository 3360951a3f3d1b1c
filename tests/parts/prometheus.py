"""A real Prometheus on loopback with a given configuration."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bot.sandbox.prometheus.real import command
from tests.parts import loopback
from tests.parts.processes import PartMissingError, free_ports, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRAPES_NOTHING = "global: {}\n"


def prometheus_binary() -> Path:
    """The one on PATH."""
    found = shutil.which("prometheus")
    if found is None:
        raise PartMissingError("prometheus is missing: install the package `prometheus`")
    return Path(found)


@contextlib.contextmanager
def running_prometheus(folder: Path, configuration: str = SCRAPES_NOTHING, past: str = "") -> Iterator[str]:
    """Yield the URL of a Prometheus that also takes remote writes; its first scrape comes after 5 s.

    It is empty but for `past`: samples of days gone by, as OpenMetrics text with times.
    """
    (folder / "prometheus.yml").write_text(configuration)
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return loopback.get(f"{url}/-/ready", timeout=10).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    binary = str(prometheus_binary())
    if past:
        (folder / "past.txt").write_text(past)
        # It reads the text anew for each block.
        make = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=24h", "openmetrics", "--quiet"]
        subprocess.run([*make, str(folder / "past.txt"), str(folder / "data")], check=True, capture_output=True)
    line = [part.replace("retention.time=2h", "retention.time=30d") for part in command(binary, folder, port)]
    with running(line, log=folder / "prometheus.log", ready=ready):
        yield url
