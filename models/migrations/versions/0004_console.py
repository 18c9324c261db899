"""the console: accounts, sessions and tokens; what people prefer; what was written to chats"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part of the console adds its own tables below."""
    _acts()
    _wishes()
    _audit()
    _labels()
    _accounts()
    _board()
    _chats()


def _chats() -> None:
    """Incidents' messages in chats, and what people did there."""
    op.create_table(
        "chatpost",
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("face", sa.String(), nullable=True),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("last_ts", sa.String(), nullable=True),
        sa.Column("trying", sa.String(), nullable=True),
        sa.Column("trying_to", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("way", "incident_id"),
    )
    op.create_table(
        "chatask",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_chatask_at", "chatask", ["at"])


def _board() -> None:
    """The board's questions: which open clock presses most, what was opened or ended since when."""
    running, unclosed = sa.text("ended_at IS NULL"), sa.text("closed_at IS NULL")
    op.create_index(
        "ix_clock_open",
        "clock",
        ["incident_id", "due_at", "state"],
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_index("ix_clock_ended", "clock", ["ended_at"])
    op.create_index(
        "ix_incident_open", "incident", ["id", "grade"], sqlite_where=unclosed, postgresql_where=unclosed
    )
    op.create_index("ix_incident_opened_at", "incident", ["opened_at"])


def _labels() -> None:
    """What people made of a signal's labels."""
    op.create_table(
        "relabel",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("signal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("was", sa.String(), nullable=True),
        sa.Column("now", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_relabel_signal_id", "relabel", ["signal_id"])
    op.create_index("ix_relabel_incident_id", "relabel", ["incident_id"])


def _acts() -> None:
    """Who took an incident; acts that came with a key of their sender's."""
    op.add_column("incident", sa.Column("holder", sa.String(), nullable=True))
    op.create_table(
        "doneonce",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_doneonce_at", "doneonce", ["at"])


def _wishes() -> None:
    """One-use links that were used; what people wish of our messages."""
    op.add_column("alert", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "linkuse",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "act"),
    )
    op.create_table(
        "preference",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.String(), nullable=True),
        sa.Column("quiet_to", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )


def _audit() -> None:
    """The journal by person and by time, for the audit page."""
    by_people = sa.text("actor <> 'huiying'")
    op.create_index(
        "ix_journal_person", "journal", ["actor", "seq"], sqlite_where=by_people, postgresql_where=by_people
    )
    op.create_index("ix_journal_at", "journal", ["at"])


def _accounts() -> None:
    """Who signs in, with what, and from where."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("totp", sa.Text(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject", name="uq_account_identity"),
    )
    op.create_index("ix_account_person", "account", ["person"])
    _sessions()
    op.create_table(
        "apitoken",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("ix_apitoken_account", "apitoken", ["account"])


def _sessions() -> None:
    op.create_table(
        "accountsession",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_accountsession_account", "accountsession", ["account"])
    op.create_index("ix_accountsession_ends_at", "accountsession", ["ends_at"])
    op.create_table(
        "signin",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signin_at", "signin", ["at"])
    op.create_index("ix_signin_account", "signin", ["account"])
