"""PromQL on the stand-in and on a real Prometheus: the same samples, the same questions, the same answers.

Here belong the differential probes and the forms they ask. `pair.Pair` is open to other contract tests that
want a query of theirs asked of both.
"""
