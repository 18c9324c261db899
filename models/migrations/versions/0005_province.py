"""more than one machine: partitions, readings that any worker leaves, neighbours above and below"""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part adds its own tables below."""


def downgrade() -> None:
    raise NotImplementedError("the ledger only goes forward: restore a backup to go back")
