"""Let invitations not say which rating they ask for"""

from alembic import op

revision = "6e1f0c94b7a2"
down_revision = "d29d9b2ea6de"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    op.alter_column("invitation", "assess_number", nullable=True)


def downgrade() -> None:
    op.execute("UPDATE invitation SET assess_number = 1 WHERE assess_number IS NULL")
    op.alter_column("invitation", "assess_number", nullable=False)
