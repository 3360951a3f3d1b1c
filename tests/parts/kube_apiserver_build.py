"""The kube-apiserver binary and Istio's resource definitions, built once into the cache of the tests."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parts.processes import PartFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = Path(__file__).parent / "apiserver"
PACKAGE = "k8s.io/kubernetes/cmd/kube-apiserver"
BUILD_SECONDS = 1500


def cache_folder() -> Path:
    """SLUICE_TEST_CACHE, else the user's cache; made when absent."""
    chosen = os.environ.get("SLUICE_TEST_CACHE")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "sluice-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kube_apiserver_binary() -> Path:
    """A binary that answers `--version`: KUBEBUILDER_ASSETS when whole, else the cached build, else a new one."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and all((Path(assets) / name).is_file() for name in ("kube-apiserver", "etcd")):
        return Path(assets) / "kube-apiserver"
    binary = cache_folder() / f"kube-apiserver-{_key()}"
    with _locked(binary):
        if not _answers(binary):
            _build(binary)
    return binary


def istio_definitions() -> Path:
    """The file of Istio's CustomResourceDefinitions, copied out of the Go module into the cache."""
    copy = cache_folder() / f"istio-crds-{_key()}.yaml"
    with _locked(copy):
        if not copy.is_file():
            _go("mod", "download", "istio.io/api")
            folder = Path(_go("list", "-m", "-f", "{{.Dir}}", "istio.io/api").strip())
            part = _beside(copy)
            shutil.copyfile(folder / "kubernetes" / "customresourcedefinitions.gen.yaml", part)
            part.replace(copy)
    return copy


def _key() -> str:
    digest = hashlib.sha256((MODULE / "go.mod").read_bytes()).hexdigest()[:16]
    return f"{platform.system().lower()}-{platform.machine()}-{digest}"


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.part-{os.getpid()}")


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Parallel runs build once: the second waits and then finds the result."""
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _answers(binary: Path) -> bool:
    if not binary.is_file():
        return False
    try:
        asked = subprocess.run([str(binary), "--version"], capture_output=True, timeout=20, check=False)
    except OSError:
        return False
    return asked.returncode == 0 and asked.stdout.startswith(b"Kubernetes v")


def _build(binary: Path) -> None:
    version = _go("list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").strip()
    major, minor, _ = version.removeprefix("v").split(".", 2)
    # A plain `go build` calls itself v0.0.0-master; clients parse what /version says.
    named = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in named.items())
    part = _beside(binary)
    try:
        _go("build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(part), PACKAGE)
        if not _answers(part):
            raise PartFailedError("the kube-apiserver just built does not answer --version")
        part.replace(binary)
    finally:
        part.unlink(missing_ok=True)


def _go(*arguments: str) -> str:
    go = shutil.which("go")
    if go is None:
        raise PartFailedError("go is missing: install golang-go 1.24 or newer, or set KUBEBUILDER_ASSETS")
    ran = subprocess.run(
        [go, *arguments], cwd=MODULE, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if ran.returncode != 0:
        raise PartFailedError(f"go {' '.join(arguments[:2])} failed:\n{ran.stderr[-3000:]}")
    return ran.stdout
