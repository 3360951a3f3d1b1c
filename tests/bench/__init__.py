"""How fast and how small the bot is: `python -m tests.bench` prints a table and JSON, beside the budgets.

What belongs here: a real bot process, stand-ins that note when things reach them, figures. What does not: assertions on
time (a figure is read, not tested), and how good the judge is (`tests.bench.gates`). Who may import it: nobody.
"""
