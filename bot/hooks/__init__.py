"""Questions asked of other systems over HTTP.

Here: one client per question, with a timeout, on httpx. Not here: what an answer means for a release. The composition
root wires it; workers ask, never a listener of Slack and never inside a transaction.
"""
