"""more than one machine: partitions, readings that any worker leaves, neighbours above and below"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part adds its own tables below."""
    _levels()
    _looking()
    _months()
    _readings()


def _looking() -> None:
    """What every process last said of itself, and what was counted from the journal for the metrics."""
    op.create_table(
        "process",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("duties", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("schema_version", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("memory", sa.BigInteger(), nullable=True),
        sa.Column("pool_used", sa.Integer(), nullable=True),
        sa.Column("pool_size", sa.Integer(), nullable=True),
        sa.Column("disks", sa.JSON(), nullable=False),
        sa.Column("reach", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "measure",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label"),
    )


def _months() -> None:
    """Uids for ever, files of what has left; on PostgreSQL months from the start where nothing is stored yet.

    A database with rows in it keeps its plain tables, on which older processes go on writing, until
    `huiying partition` turns them.
    """
    op.create_table(
        "seen",
        sa.Column("uid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uid"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "archive",
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prev", sa.String(), nullable=True),
        sa.Column("head", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("file"),
    )
    op.create_index("ix_archive_month", "archive", ["month"])
    untaken = sa.text("state IN ('queued', 'dead')")
    op.create_index(
        "ix_alert_untaken", "alert", ["state", "raised_at"], sqlite_where=untaken, postgresql_where=untaken
    )
    closed = sa.text("closed_at IS NOT NULL")
    op.create_index(
        "ix_incident_closed", "incident", ["closed_at"], sqlite_where=closed, postgresql_where=closed
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql" and _is_new(conn):
        _in_months(conn, "signal", "id", "seen_at")
        _in_months(conn, "journal", "seq", "at")


def _readings() -> None:
    """Slices of what waits, read by any worker for the one that sorts; and the ways to a group's home that
    cost the same however many belong to it."""
    op.create_table(
        "readingslice",
        sa.Column("first_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("first_id"),
    )
    op.drop_index("ix_judgement_cluster", "judgement")  # each row stands in one of these two instead
    _some_judgements("ix_judgement_home", ["cluster", "signal_id"], "incident_id IS NOT NULL")
    _some_judgements("ix_judgement_homeless", ["cluster"], "incident_id IS NULL")


def _some_judgements(name: str, columns: list[str], where: str) -> None:
    which = sa.text(where)
    op.create_index(name, "judgement", columns, sqlite_where=which, postgresql_where=which)


def _is_new(conn: sa.Connection) -> bool:
    asked = "SELECT NOT EXISTS (SELECT FROM signal) AND NOT EXISTS (SELECT FROM journal)"
    return bool(conn.execute(sa.text(asked)).scalar_one())


def _in_months(conn: sa.Connection, table: str, number: str, at: str) -> None:
    """An empty table made anew in parts: this month, the two to come, and a net for everything else."""
    named = [row[0] for row in conn.execute(_INDEXES, {"of": table})]
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_plain")
    made = f"(LIKE {table}_plain INCLUDING DEFAULTS, PRIMARY KEY ({number}, {at}))"
    op.execute(f"CREATE TABLE {table} {made} PARTITION BY RANGE ({at})")
    if table == "signal":
        op.execute("ALTER SEQUENCE signal_id_seq OWNED BY signal.id")
    op.execute(f"DROP TABLE {table}_plain")
    for index in named:
        op.execute(index)
    op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    for name, since, until in conn.execute(_MONTHS):
        span = f"FROM ('{since}') TO ('{until}')"
        op.execute(f"CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES {span}")


_INDEXES = sa.text("""
    SELECT indexdef FROM pg_indexes
    WHERE tablename = :of AND schemaname = current_schema() AND indexdef NOT LIKE 'CREATE UNIQUE%'
""")
_MONTHS = sa.text("""
    SELECT to_char(month, 'YYYY_MM'), to_char(month, 'YYYY-MM-DD 00:00:00+08'),
           to_char(month + interval '1 month', 'YYYY-MM-DD 00:00:00+08')
    FROM generate_series(0, 2) AS n,
         LATERAL (SELECT date_trunc('month', now() AT TIME ZONE interval '8 hours')
                         + n * interval '1 month' AS month) AS months
""")


def _levels() -> None:
    """Incidents handed from installation to installation, and what lower ones say of themselves."""
    op.create_table(
        "referral",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("neighbour", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("their_incident", sa.String(), nullable=True),
        sa.Column("their_ref", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("parcel", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.Column("progress_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_referral_neighbour", "referral", ["neighbour"])
    op.create_index("ix_referral_incident_id", "referral", ["incident_id"])
    op.create_table(
        "lowerboard",
        sa.Column("neighbour", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("neighbour"),
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger only goes forward: restore a backup to go back")
