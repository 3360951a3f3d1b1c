"""Whom the API server takes us for: a kubeconfig, or the token that a pod is given, read anew when it changes."""

import threading
from collections.abc import Callable
from typing import Any

from kubernetes.client.configuration import Configuration
from kubernetes.config import load_incluster_config, load_kube_config
from kubernetes.config.config_exception import ConfigException

from bot.errors import Fault

UNREADABLE = (ConfigException, OSError, ValueError)
TOKEN = "BearerToken"  # noqa: S105 - the library's name for it

Load = Callable[[], None]


class Credentials:
    """A configuration of the library, and the way to load it again.

    The library reads a pod's token anew each minute. Who is refused before that, or by a kubeconfig whose token file or
    plugin gives another token by now, asks for it at once.
    """

    def __init__(self, configuration: Configuration, load: Load | None = None) -> None:
        self.configuration = configuration
        self._load = load
        self._renewing = threading.Lock()

    @property
    def token(self) -> str:
        """What was sent last; empty where no token is used."""
        key: Any = self.configuration.api_key
        return str(key.get(TOKEN) or "")

    def renewed(self, refused: str) -> bool:
        """True when there is another token than the one that was refused."""
        with self._renewing:
            if self.token == refused and self._load is not None:
                try:
                    self._load()
                except UNREADABLE:
                    return False
            return self.token != refused


def load(kubeconfig: str | None, context: str | None) -> Credentials:
    """By the file named, else by KUBECONFIG or ~/.kube/config, else by the pod's service account.

    A file that cannot be read or a context that is not in it is a Fault that says so.
    """
    configuration = Configuration()
    untyped: Any = load_kube_config

    def by_file() -> None:
        untyped(config_file=kubeconfig, context=context, client_configuration=configuration)

    try:
        by_file()
    except UNREADABLE as problem:
        if kubeconfig or context:
            named = f"SLUICE_KUBECONFIG={kubeconfig}" if kubeconfig else "KUBECONFIG"
            wanted = f" with SLUICE_KUBE_CONTEXT={context}" if context else ""
            why = str(problem).strip().rstrip(".")
            raise Fault(f"{named}{wanted}: this kubeconfig cannot be used: {why}.") from problem
        return _of_the_pod(configuration, problem)
    return Credentials(configuration, by_file)


def _of_the_pod(configuration: Configuration, problem: Exception) -> Credentials:
    untyped: Any = load_incluster_config

    def by_account() -> None:
        untyped(client_configuration=configuration)

    try:
        by_account()
    except ConfigException as inner:
        text = "No cluster is configured: set SLUICE_KUBECONFIG or KUBECONFIG, or run in a pod with a service account"
        raise Fault(f"{text}: {problem}") from inner
    return Credentials(configuration, by_account)
