"""Sluice talks: Slack, Kubernetes, Prometheus, the clock and the command line.

Here: adapters, the engine that runs each event through one transaction, the worker that does effects, and the
composition root. Not here: decisions (`strategies`) and tables (`storage`). Nobody imports it but the command.
"""
