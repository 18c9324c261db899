"""the console: accounts, sessions and tokens; what people prefer; what was written to chats"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part of the console adds its own tables below."""
