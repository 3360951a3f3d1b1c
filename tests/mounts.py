"""A ConfigMap or Secret on disk as the kubelet mounts it: files are links through `..data`, which is swapped as one."""

import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path

_COUNT = itertools.count()


class Mount:
    """The directory, and what changes in it when the object does."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self.change(files)

    def change(self, files: Mapping[str, str]) -> None:
        """Other content: a new directory, `..data` moved to it, then links for new names and none for gone ones."""
        current = self._folder / "..data"
        old = current.resolve() if current.is_symlink() else None
        new = self._folder / f"..2026_11_25_22_00_00.{next(_COUNT)}"
        new.mkdir()
        for name, text in files.items():
            (new / name).write_text(text, encoding="utf-8")
        swapped = self._folder / "..data_tmp"
        swapped.symlink_to(new.name)
        swapped.replace(current)
        for link in [each for each in self._folder.iterdir() if not each.name.startswith("..")]:
            if link.name not in files:
                link.unlink()
        for name in files:
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")
        if old is not None:
            shutil.rmtree(old)
