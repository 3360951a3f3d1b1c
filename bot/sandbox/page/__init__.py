"""The page in the browser: the channel on one side, the living mesh on the other.

Here belong its server, what it shows as JSON, and its static files, which ask no other host for anything. It shows and
hands on what people do; nothing is decided here, neither by the server nor by the scripts. Imported by `bot.sandbox`
and tests.
"""
