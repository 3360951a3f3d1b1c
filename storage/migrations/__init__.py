"""The steps by which the schema came to be, as Alembic runs them at start.

Here: one module per step in `versions`, numbered `0001`, `0002`, ... A step is short, and it only adds: a column that
is new has a default, one that is gone is dropped a version later. So the replicas of the old version keep working
while the new one starts. Not here: anything that reads a release. Only `storage.schema` runs this.
"""
