"""The sandbox: the real bot beside loopback stand-ins for everything it talks to, and a page to watch both.

Here belong the stand-ins (`kubernetes`, `prometheus`, `slack`), the demonstration mesh (`mesh`, `cluster`), the
`page`, the scripted `tour`, and the supervisor that starts and ends it all. No decision about a release belongs here:
the bot runs as a process of its own and is met over sockets alone, by its environment. Imported by `bot.cli` and tests.
"""
