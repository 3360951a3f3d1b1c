"""Credentials that change under a running bot: a kubeconfig's token file, and a token that nobody can read now."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.configuration import Configuration
from kubernetes.config.config_exception import ConfigException

from bot.errors import Transient
from bot.mesh import credentials
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


def test_a_token_that_cannot_be_read_now_is_trouble_that_passes(kubeconfig: Path) -> None:
    def empty(_: Configuration) -> None:
        raise ConfigException("Token file exists but empty.")

    connection = connect(str(kubeconfig))
    configuration: Any = connection._credentials.configuration
    configuration.refresh_api_key_hook = empty
    with pytest.raises(Transient, match="the token cannot be read: Token file exists but empty"):
        connection.call(Right("list", "pods"), "/api/v1/pods", what="the pods")
    connection.close()
