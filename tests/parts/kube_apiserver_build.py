"""The kube-apiserver binary, built once into the cache of the tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.parts.cache import beside, cache_folder, key, locked
from tests.parts.go import go as run_go
from tests.parts.processes import PartFailedError

MODULE = Path(__file__).parent / "apiserver"
PACKAGE = "k8s.io/kubernetes/cmd/kube-apiserver"


def kube_apiserver_binary() -> Path:
    """A binary that answers `--version`: that of KUBEBUILDER_ASSETS, else the cached build, else a new one."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        bundled = Path(assets) / "kube-apiserver"
        if not _answers(bundled):
            raise PartFailedError(f"KUBEBUILDER_ASSETS is {assets}, and {bundled} does not answer --version")
        return bundled
    binary = cache_folder() / f"kube-apiserver-{key(MODULE / 'go.mod')}"
    with locked(binary):
        if not _answers(binary):
            _build(binary)
    return binary


def _answers(binary: Path) -> bool:
    if not binary.is_file():
        return False
    try:
        asked = subprocess.run([str(binary), "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and asked.stdout.startswith(b"Kubernetes v")


def _build(binary: Path) -> None:
    version = go("list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").strip()
    major, minor, _ = version.removeprefix("v").split(".", 2)
    # A plain `go build` calls itself v0.0.0-master; clients parse what /version says.
    named = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in named.items())
    part = beside(binary)
    try:
        go("build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(part), PACKAGE)
        if not _answers(part):
            raise PartFailedError("the kube-apiserver just built does not answer --version")
        part.replace(binary)
    finally:
        part.unlink(missing_ok=True)


def go(*arguments: str) -> str:
    """What Go prints in the module of the API server."""
    return run_go(MODULE, *arguments, instead="KUBEBUILDER_ASSETS")
