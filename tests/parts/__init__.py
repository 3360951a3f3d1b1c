"""Real parts that tests start on loopback: API server, etcd, Prometheus, PostgreSQL.

What belongs here: finding, building, starting and stopping a real server binary. What does not: probes, stand-ins,
anything that knows what the bot does. Who may import it: tests only.
"""
