"""What a release decides, and nothing else.

Here: the words (route, split, plan, stage, gate, verdict, release), the strategies (spec -> Plan), the one
machine that walks a plan, and the judges of a look. Every function takes facts and the time as arguments and
returns values. Not here: sockets, clocks, databases, Slack, Kubernetes. Imports the standard library only (numpy
and scipy in `strategies.gates`). Anybody may import it; it imports nobody.
"""
