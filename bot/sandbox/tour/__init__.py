"""Scripted stories told headless on the running sandbox, each step checked against what was promised.

Here belong the stories, what they observe (messages as people see them, routes as the API server has them, counts as
the proxy has them) and their report. A story prints nothing: it tells its steps to whoever listens. It acts through
people's hands and knobs alone and knows nothing of the bot's inside. Imported by `bot.cli` and tests.
"""
