"""How good the judge is: traffic nobody tuned it on, beside fixed-threshold judges and the bound that theory sets.

Run `python -m tests.bench.gates`. Here: traffic, the judges as arrays, the table. Not here: budgets of time.
"""
