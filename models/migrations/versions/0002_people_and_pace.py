"""snoozes, hand-overs, notices, receipts, rates of channels"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Every new column may be empty: rows and journal entries of the first release have none of them.
COLUMNS = (
    ("ack", sa.Column("until", sa.DateTime(timezone=True), nullable=True)),
    ("alert", sa.Column("kind", sa.String(), nullable=True)),
    ("alert", sa.Column("title", sa.Text(), nullable=True)),
    ("alert", sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True)),
    ("alert", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True)),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    op.create_table(
        "handover",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("from_people", sa.JSON(), nullable=False),
        sa.Column("to_people", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "pace",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("used", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("channel"),
    )


def downgrade() -> None:
    op.drop_table("pace")
    op.drop_table("handover")
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
