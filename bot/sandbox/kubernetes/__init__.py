"""A stand-in for the Kubernetes API that speaks its wire protocol on loopback.

What belongs here: what a client can observe of an API server (resources, versions, watches, ownership of fields,
validation against the published schemas). What does not: controllers that run pods, anything of Istio's behaviour,
and any import of the bot. Who may import it: the sandbox and tests. The contract suite holds it to a real
kube-apiserver.
"""

from bot.sandbox.kubernetes.server import KubernetesApi, kubeconfig

__all__ = ["KubernetesApi", "kubeconfig"]
