"""Everything at once, at random, by seed: replicas die, neighbours fail, people and other tools do what they like.

A command outside the gate (`python -m tests.chaos --seed 7 --minutes 2`). Here belong the shop, the doors that fail,
the driver that draws what happens, and the checker that holds what was seen from outside to what is promised. The bot
is what `sluice run` starts; the API server, Prometheus and Slack are the sandbox's stand-ins over their wire protocols,
PostgreSQL is real. Nobody imports this package.
"""
