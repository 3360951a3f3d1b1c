"""What Sluice remembers: releases, journal, outbox, evidence, messages, leases.

Here: the tables, their migrations, and one class per table with the questions that are asked of it. Everything
happens inside a `Transaction` that the caller opens; nobody here commits. Not here: decisions, clocks, anything remote
but the database. Only this package knows sqlmodel, sqlalchemy and alembic; their errors and rows end here. Imports
`strategies`. Imported by `bot` (engine, worker, schedule, composition root) and tests.
"""
