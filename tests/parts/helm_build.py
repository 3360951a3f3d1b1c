"""The helm command: the one at hand, else one that is built once into the cache of the tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.parts.cache import beside, cache_folder, key, locked
from tests.parts.go import go
from tests.parts.processes import PartFailedError

MODULE = Path(__file__).parent / "helm"
NAME = "helm.sh/helm/v3"
OLDEST = (3, 19)  # what is built here; an older one words its refusals otherwise, Helm 4 was not tried


def helm_binary() -> Path:
    """A helm that answers `version`: SLUICE_TEST_HELM, else a v3 on PATH that is new enough, else the cached build."""
    named = os.environ.get("SLUICE_TEST_HELM")
    if named:
        if not _answers(Path(named)):
            raise PartFailedError(f"SLUICE_TEST_HELM is {named}, which does not answer version with {_wanted()}")
        return Path(named)
    found = shutil.which("helm")
    if found and _answers(Path(found)):
        return Path(found)
    binary = cache_folder() / f"helm-{key(MODULE / 'go.mod')}"
    with locked(binary):
        if not _answers(binary):
            _build(binary)
    return binary


def _wanted() -> str:
    return f"v{OLDEST[0]}.{OLDEST[1]} or a newer v{OLDEST[0]}"


def _answers(binary: Path) -> bool:
    if not binary.is_file():
        return False
    command = [str(binary), "version", "--template", "{{.Version}}"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return False
    version = re.match(r"v(\d+)\.(\d+)\.", asked.stdout)
    if asked.returncode != 0 or version is None:
        return False
    return int(version[1]) == OLDEST[0] and int(version[2]) >= OLDEST[1]


def _build(binary: Path) -> None:
    helm, api = (_go("list", "-m", "-f", "{{.Version}}", name).strip() for name in (NAME, "k8s.io/api"))
    minor = api.split(".")[1]
    # As Helm's own Makefile does: without it, charts are rendered for Kubernetes 1.20.
    named = {f"{NAME}/internal/version.version": helm}
    for package in ("pkg/lint/rules", "pkg/chartutil"):
        named |= {f"{NAME}/{package}.k8sVersionMajor": "1", f"{NAME}/{package}.k8sVersionMinor": minor}
    flags = " ".join(f"-X {name}={value}" for name, value in named.items())
    part = beside(binary)
    try:
        _go("build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(part), f"{NAME}/cmd/helm")
        if not _answers(part):
            raise PartFailedError(f"the helm just built does not answer version with {_wanted()}")
        part.replace(binary)
    finally:
        part.unlink(missing_ok=True)


def _go(*arguments: str) -> str:
    return go(MODULE, *arguments, instead="SLUICE_TEST_HELM")
