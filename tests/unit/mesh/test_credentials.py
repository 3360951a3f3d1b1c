"""Credentials that change under a running bot: a kubeconfig's token file, and a token that nobody can read now."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kubernetes.client.configuration import Configuration
from kubernetes.config import incluster_config, kube_config
from kubernetes.config.config_exception import ConfigException

from bot.errors import Transient
from bot.mesh import credentials
from bot.mesh.credentials import Credentials
from bot.mesh.kube_api import connect
from bot.mesh.rights import Right


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": {"tokenFile": str(tmp_path / "token")}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    return tmp_path / "config"


def test_a_token_file_that_changed_gives_the_new_token_to_whoever_was_refused(kubeconfig: Path) -> None:
    own = credentials.load(str(kubeconfig), None)
    first = own.token
    assert not own.renewed(first)
    (kubeconfig.parent / "token").write_text("second")
    assert own.renewed(first)
    assert (own.token, own.renewed(first)) == ("Bearer second", True)
    (kubeconfig.parent / "token").unlink()
    assert not own.renewed(own.token)


def test_the_token_of_a_pod_is_read_anew_after_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_text("a certificate")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "nowhere"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    own = credentials.load(None, None)
    (tmp_path / "token").write_text("second")
    assert (own.configuration.host, sent(own)) == ("https://10.0.0.1:443", "bearer first")
    later = datetime.now() + timedelta(seconds=61)
    clock = SimpleNamespace(now=lambda: later)
    monkeypatch.setattr(incluster_config, "datetime", SimpleNamespace(datetime=clock, timedelta=timedelta))
    assert sent(own) == "bearer second"


def sent(own: Credentials) -> str:
    """What the next request carries."""
    configuration: Any = own.configuration
    return str(configuration.auth_settings()[credentials.TOKEN]["value"])


def test_a_token_that_cannot_be_read_now_is_trouble_that_passes(kubeconfig: Path) -> None:
    def empty(_: Configuration) -> None:
        raise ConfigException("Token file exists but empty.")

    connection = connect(str(kubeconfig))
    configuration: Any = connection._credentials.configuration
    configuration.refresh_api_key_hook = empty
    with pytest.raises(Transient, match="the token cannot be read: Token file exists but empty"):
        connection.call(Right("list", "pods"), "/api/v1/pods", what="the pods")
    connection.close()
