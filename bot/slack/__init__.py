"""Slack: words in, cards out.

Here: the command grammar, buttons, cards, people and roles, the Chat port on the Web API, and both ways Slack reaches
us (Socket Mode and signed HTTP). Parsing and rendering are pure; only `people`, `outgoing`, `replies` and `app` touch
the network, and nothing remote happens before an acknowledgement. Not here: decisions, stored state, traffic. Only the
composition root imports it.
"""
