"""Sluice reads Prometheus and draws what it read.

Here: the queries (pure text), the difference of two counter snapshots (pure), the adapter behind `bot.ports.Metrics`,
and pictures of looks. Not here: what a figure means for a release (`strategies.gates`). The only home of
prometheus_api_client and matplotlib. Imported by the composition root alone.
"""
