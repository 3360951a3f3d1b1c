"""What a rendered pod finds when it starts: its mounts on disk as the kubelet makes them, and its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mounts import Mount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.contract.chart.rendering import Object, Rendered

Secrets = dict[str, dict[str, str]]
SECRETS: Secrets = {
    "sluice-slack": {"bot-token": "xoxb-1\n", "app-token": "xapp-1\n", "signing-secret": "shh\n"},
    "sluice-database": {"url": "postgresql://sluice@db.example/sluice"},
    "sluice-hooks": {"token": "t0ken"},
}


class Pod:
    """A pod in a folder; a variable that names a mounted file names it below that folder."""

    def __init__(self, rendered: Rendered, folder: Path, secrets: Secrets = SECRETS) -> None:
        self._rendered = rendered
        self._secrets = secrets
        self._paths = {each["mountPath"]: folder / each["name"] for each in rendered.container["volumeMounts"]}
        volumes = {each["name"]: each for each in rendered.pod["volumes"]}
        assert {path.name for path in self._paths.values()} == volumes.keys()
        self.mounts: dict[str, Mount] = {}
        for path in self._paths.values():
            files = self._files(volumes[path.name])
            if files is None:
                path.mkdir()
            else:
                self.mounts[path.name] = Mount(path, files)

    def environment(self) -> dict[str, str]:
        """What the process is given."""
        return {name: self._value(given) for name, given in self._rendered.environment.items()}

    def _files(self, volume: Object) -> Mapping[str, str] | None:
        """The files of a ConfigMap or Secret; None of an empty directory or a claim."""
        if "secret" in volume:
            return self._secrets[volume["secret"]["secretName"]]
        if "configMap" in volume:
            return dict(self._rendered.one("ConfigMap", volume["configMap"]["name"])["data"] or {})
        return None

    def _value(self, given: object) -> str:
        if isinstance(given, dict):
            reference = given["secretKeyRef"]
            return self._secrets[reference["name"]][reference["key"]]
        text = str(given)
        for mounted, path in self._paths.items():
            if mounted in text:
                return text.replace(mounted, str(path))
        return text
