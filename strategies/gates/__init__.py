"""The judges of a look: what was measured against what is asked.

Here: the observed split, thresholds on errors and latency, the memory a judge keeps between looks, and the statistics
they need. Everything is pure: a reading and a string of memory go in, verdicts and a new string come out. Not here:
queries, clocks, people's approvals. May be imported by anybody; imports `strategies`, numpy and scipy.
"""
