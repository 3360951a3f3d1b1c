"""The bot as a process of its own, against real parts; Slack alone is a stand-in, over its real protocol.

What belongs here: stories that need a real API server, Envoy, Prometheus or PostgreSQL. What does not: wire probes of
one part (contract), kill points (crash). Who may import it: nobody; `tests.bench` borrows the child and the loop.
"""
