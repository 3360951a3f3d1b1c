"""The Kubernetes probes: each runs against the sandbox's stand-in and against a real kube-apiserver.

What belongs here: small observations that a client can make over the wire. What does not: anything of the bot. Who
may import it: nobody.
"""
