"""Which real parts are missing on this machine, and how to get them; standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UNAVAILABLE = 5
_APT_SECONDS = 900
_ASSETS = ("kube-apiserver", "etcd")
_NAMED_BY_ASSETS = ("etcd", "apiserver")
# Its names on PATH.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Parts by the variable that is the path of another than the one we would find or build.
NAMED: Mapping[str, str] = {"chromium": "SLUICE_CHROMIUM", "helm": "SLUICE_TEST_HELM"}
# Part by the Debian package that brings it; the order is the order of the command line.
PACKAGES: Mapping[str, str] = {
    "prometheus": "prometheus",
    "postgres": "postgresql",
    "chromium": "chromium",
    "etcd": "etcd-server",
    "openssl": "openssl",
}
# Tiers by the parts they start.
NEEDED: Mapping[str, Sequence[str]] = {
    "unit": (),
    "lint": (),
    "fuzz": (),
    "contract": ("prometheus", "postgres", "etcd", "openssl", "apiserver", "helm"),
    "integration": ("prometheus", "postgres", "etcd", "openssl", "apiserver"),
    "acceptance": ("prometheus", "chromium"),
    "crash": ("postgres",),
}


def missing(tiers: Iterable[str]) -> list[str]:
    """The parts the tiers need and the machine has not."""
    needed = dict.fromkeys(part for tier in tiers for part in NEEDED.get(tier, ()))
    return [part for part in needed if not _present(part)]


def _present(part: str) -> bool:
    named = os.environ.get(NAMED.get(part, ""))
    if named:
        return Path(named).is_file()
    match part:
        case "postgres":
            return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        case "chromium":
            return any(map(shutil.which, CHROMIUM))
        case "etcd":
            return _has_assets() or (not _assets() and shutil.which("etcd") is not None)
        case "apiserver":
            # It is built here, so what must be there is the compiler.
            return _has_assets() or (not _assets() and shutil.which("go") is not None)
        case "helm":
            # Built here too, where none is at hand; whether one at hand is new enough is seen when it is asked.
            return any(map(shutil.which, ("helm", "go")))
        case _:
            return shutil.which(part) is not None


def _assets() -> str:
    return os.environ.get("KUBEBUILDER_ASSETS", "")


def _has_assets() -> bool:
    return bool(_assets()) and all((Path(_assets()) / name).is_file() for name in _ASSETS)


def packages(parts: Iterable[str]) -> list[str]:
    """The Debian packages of the parts; Go is no package here, Debian's is too old."""
    return [PACKAGES[part] for part in parts if part in PACKAGES and part not in _named_wrongly()]


def _named_wrongly() -> Mapping[str, str]:
    """Parts that somebody says are elsewhere, and are not there: nothing is installed instead of them."""
    found = {}
    if _assets() and not _has_assets():
        text = f"KUBEBUILDER_ASSETS is {_assets()!r}, where not both of {', '.join(_ASSETS)} are: correct or unset it"
        found.update(dict.fromkeys(_NAMED_BY_ASSETS, text))
    for part, name in NAMED.items():
        if os.environ.get(name) and not _present(part):
            found[part] = f"{name} is {os.environ[name]!r}, which is no file: correct or unset it"
    return found


def install(tiers: Sequence[str]) -> int:
    """Install what is missing once; 0 when all is there, else 5 after saying what to run."""
    lacking = missing(tiers)
    if not lacking:
        return 0
    prefix = _privilege()
    wanted = packages(lacking)
    if wanted and prefix is not None and shutil.which("apt-get") is not None:
        print(f"installing {' '.join(wanted)}", file=sys.stderr, flush=True)
        _apt(prefix, wanted)
        lacking = missing(tiers)
    if not lacking:
        return 0
    print(f"missing: {', '.join(lacking)}. {remedy(lacking)}", file=sys.stderr, flush=True)
    return UNAVAILABLE


def remedy(parts: Sequence[str]) -> str:
    """The one line to run."""
    wanted = packages(parts)
    lines = [f"Run: sudo apt-get install --no-install-recommends -y {' '.join(wanted)}"] if wanted else []
    wrong = _named_wrongly()
    lines += dict.fromkeys(wrong[part] for part in parts if part in wrong)
    if "apiserver" in parts and "apiserver" not in wrong:
        lines.append("Install Go from https://go.dev/dl, or set KUBEBUILDER_ASSETS to kube-apiserver and etcd")
    if "helm" in parts and "helm" not in wrong:
        lines.append("Install Helm 3 from https://helm.sh/docs/intro/install, or Go from https://go.dev/dl")
    return "; ".join(lines)


def _privilege() -> list[str] | None:
    """How we may call apt without a question; None when we may not."""
    if os.geteuid() == 0:
        return []
    try:
        subprocess.run(["sudo", "-n", "true"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ["sudo", "-n"]


def _apt(prefix: Sequence[str], wanted: Sequence[str]) -> None:
    # The run level asks Debian's packages not to start a service: the tests run servers of their own.
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    options = ["-q", "-o", "DPkg::Lock::Timeout=300"]
    steps = (["update"], ["install", "--no-install-recommends", "-y", *wanted])
    for step in steps:
        command = [*prefix, *environment, "apt-get", *options, *step]
        try:
            subprocess.run(command, stdout=sys.stderr, timeout=_APT_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            print(error, file=sys.stderr)
            return


if __name__ == "__main__":
    sys.exit(install(sys.argv[1:] or list(NEEDED)))
