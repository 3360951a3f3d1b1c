"""The judge over recorded looks: lines of JSON in, lines of JSON out.

Here: reading and checking lines, the order of answers, state between two runs. Not here: judging (strategies.gates),
files, typer. May be imported by `bot.cli` and tests; imports the standard library and `strategies`.
"""
