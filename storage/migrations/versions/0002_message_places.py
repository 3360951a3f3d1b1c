"""A message is found by its place without reading all that there ever were.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the index; an older replica works on with it."""
    op.create_index("ix_messages_ts", "messages", ["ts"])
