"""Istio and the workloads behind it: the Mesh port on the Kubernetes API.

Here: pure editors of VirtualService and DestinationRule, the survey of what a release would move, and the adapter that
watches the cluster and writes to it; the only home of the `kubernetes` library. Not here: when to write, what was
decided, and anything stored. Only the composition root imports it, and `bot.offline` the pure editors.
"""
