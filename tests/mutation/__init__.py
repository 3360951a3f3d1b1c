"""Breaks the core a little, many times, and counts how often a test notices; outside the gate.

`python -m tests.mutation --sample 5 strategies/moves.py …` prints the survivors and the score. Belongs here: what makes
and judges mutants. Belongs elsewhere: the tests that kill them.
"""
