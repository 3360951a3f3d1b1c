"""What the bot is told: its profile, its roles, its kubeconfig and its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.kubernetes import kubeconfig

NAMESPACE = "shop"
CHANNEL = "C0RELEASES"
PROFILE: Mapping[str, Any] = {
    "service": SERVICE,
    "namespace": NAMESPACE,
    "channel": CHANNEL,
    "strategy": "canary",
    "steps": [5, 25, 50, 100],
    "hold": "6s",
    "look": "2s",
    "approvers": ["S0APPROVE"],
    # Wide bounds on purpose: a stage lasts seconds here, so it sees a few dozen requests of the candidate.
    "metrics": {
        "errors": {"limit": "5%", "allowed": "+2pp"},
        "latency_p95": {"limit": "250ms", "allowed": "+100ms"},
    },
    "min_requests": 20,
    "deadline": "10m",
    "soak": "0s",
    # The candidate begins with fewer pods than the baseline has; it is scaled up as its share grows.
    "scale": True,
    # The shop's pods store nothing and call nobody, so copies of requests do no harm.
    "side_effects": "none",
}
ROLES: Mapping[str, list[str]] = {
    "releaser": ["U0ALICE"],
    "approver": ["S0APPROVE"],
    "override": ["U0BOB"],
    "on_call": ["S0ONCALL"],
}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where the bot's neighbours are and what they must be told."""

    kubernetes: str
    kubernetes_token: str
    prometheus: str
    slack_api: str
    slack_bot_token: str
    slack_app_token: str


@dataclass(frozen=True, slots=True)
class BotFiles:
    """The files of one bot under one folder."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """How to reach the cluster; good for kubectl too."""
        return self.folder / "kubeconfig"

    @property
    def profiles(self) -> Path:
        """The directory of profiles."""
        return self.folder / "profiles"

    @property
    def roles(self) -> Path:
        """Who may do what."""
        return self.folder / "roles.yaml"

    @property
    def log(self) -> Path:
        """What the bot says."""
        return self.folder / "bot.log"

    def write(self, neighbours: Neighbours) -> None:
        """Write everything the environment names."""
        self.profiles.mkdir(parents=True, exist_ok=True)
        self.write_profile({})
        self.roles.write_text(yaml.safe_dump(dict(ROLES), sort_keys=False))
        document = kubeconfig(neighbours.kubernetes, neighbours.kubernetes_token)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(document, sort_keys=False))

    def write_profile(self, changes: Mapping[str, Any]) -> None:
        """The shop's profile with some keys changed; the bot reads it again by itself."""
        (self.profiles / f"{SERVICE}.yaml").write_text(yaml.safe_dump({**PROFILE, **changes}, sort_keys=False))

    def environment(self, neighbours: Neighbours, port: int) -> dict[str, str]:
        """The bot's whole environment: ours without anybody else's `SLUICE_*`, and its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
        # Loopback is not reached through anybody's proxy.
        kept |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1"}
        return kept | {
            "SLUICE_DATABASE": f"sqlite:///{self.folder / 'sluice.db'}",
            "SLUICE_PROFILES": str(self.profiles),
            "SLUICE_ROLES": str(self.roles),
            "SLUICE_KUBECONFIG": str(self.kubeconfig),
            "SLUICE_NAMESPACES": NAMESPACE,
            "SLUICE_PROMETHEUS_URL": neighbours.prometheus,
            "SLUICE_SLACK_API_URL": neighbours.slack_api,
            "SLUICE_SLACK_BOT_TOKEN": neighbours.slack_bot_token,
            "SLUICE_SLACK_APP_TOKEN": neighbours.slack_app_token,
            "SLUICE_SLACK_CHANNEL": CHANNEL,
            "SLUICE_LISTEN": f"127.0.0.1:{port}",
            "SLUICE_CLUSTER": "sandbox",
            "SLUICE_PROPAGATION": "300ms",
            "SLUICE_REPORTER": "both",
            "SLUICE_LOOK": "2s",
        }
