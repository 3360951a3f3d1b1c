"""What a cluster does beside its API server: pods run, Deployments get their pods and their status.

Belongs here: the sandbox's Kubernetes client, the watch cache, the controller of Deployments, the pod process
and the objects of the demonstration shop. Does not belong here: traffic (see `bot.sandbox.mesh`) and the API
server itself. Imported by `bot.sandbox` alone. This file imports nothing: each pod process pays for that.
"""
