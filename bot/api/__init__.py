"""The HTTP door: Slack's signed payloads, health, readiness, metrics of the process.

Here: routes that hand bytes on and answer with bytes. Not here: decisions, Slack's words, threads of work. Only the
composition root imports it.
"""
