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
    ("evidence", sa.Column("standing", sa.String(), nullable=True)),
    ("incident", sa.Column("medium", sa.String(), nullable=True)),
    ("incident", sa.Column("domain", sa.String(), nullable=True)),
    ("alert", sa.Column("bundle", sa.String(), nullable=True)),
    ("deadletter", sa.Column("fields", sa.JSON(), nullable=True)),
    ("deadletter", sa.Column("state", sa.String(), nullable=True)),
    ("deadletter", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True)),
    ("deadletter", sa.Column("settled_by", sa.String(), nullable=True)),
    ("deadletter", sa.Column("note", sa.Text(), nullable=True)),
    ("deadletter", sa.Column("signal_uid", sa.String(), nullable=True)),
    ("judgement", sa.Column("details", sa.JSON(), nullable=True)),
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
        "sealed",
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uid"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("publisher", sa.String(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("sure", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("evidence_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident_id", "item", name="uq_proposal_once"),
    )
    op.create_index("ix_proposal_incident_id", "proposal", ["incident_id"])
    op.create_index("ix_proposal_state", "proposal", ["state"])
    op.create_table(
        "capture",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("page_sha256", sa.String(), nullable=True),
        sa.Column("text_sha256", sa.String(), nullable=True),
        sa.Column("warc_sha256", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_capture_evidence_id", "capture", ["evidence_id"])
    op.create_index("ix_capture_incident_id", "capture", ["incident_id"])
    op.create_table(
        "recheck",
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.String(), nullable=True),
        sa.Column("doubted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", sa.String(), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_word", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("evidence_id"),
    )
    op.create_index("ix_recheck_due_at", "recheck", ["due_at"])
    op.create_table(
        "pace",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("used", sa.JSON(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("channel"),
    )
    op.create_table(
        "playbookversion",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("playbook", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_playbookversion_playbook", "playbookversion", ["playbook"])
    op.create_index("ix_playbookversion_state", "playbookversion", ["state"])
    op.create_table(
        "frozenplaybook",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("playbook", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "incidentplaybook",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("playbook", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidentplaybook_incident_id", "incidentplaybook", ["incident_id"])

    op.create_table(
        "planhit",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column(
            "signal_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", "signal_id"),
    )
    op.create_index("ix_planhit_at", "planhit", ["at"])
    op.create_index(
        "ix_planhit_untold",
        "planhit",
        ["plan_id"],
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "pulse",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "source_id", "medium", "place", "topic"),
    )
    op.create_table(
        "surge",
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "group"),
    )


def downgrade() -> None:
    for table in ("surge", "pulse", "planhit"):
        op.drop_table(table)
    op.drop_table("incidentplaybook")
    op.drop_table("frozenplaybook")
    op.drop_table("playbookversion")
    op.drop_table("recheck")
    op.drop_table("capture")
    op.drop_table("proposal")
    op.drop_table("sealed")
    op.drop_table("pace")
    op.drop_table("handover")
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
