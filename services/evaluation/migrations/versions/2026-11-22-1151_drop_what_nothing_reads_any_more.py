"""Drop what nothing reads any more"""

import sqlalchemy as sa
from alembic import op

revision = "159e073d18f5"
down_revision = "a46e2d5437d3"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    op.drop_table("calendar_day")
    op.drop_table("calendar_year")
    op.drop_column("invitation", "assess_number")


def downgrade() -> None:
    op.add_column(
        "invitation", sa.Column("assess_number", sa.INTEGER(), autoincrement=False, nullable=True)
    )
    op.create_check_constraint("assess_number", "invitation", "assess_number IN (1, 2)")
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.INTEGER(), autoincrement=False, nullable=False),
        sa.Column("source", sa.VARCHAR(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.DATE(), autoincrement=False, nullable=False),
        sa.Column("is_working", sa.BOOLEAN(), autoincrement=False, nullable=False),
        sa.Column("note", sa.VARCHAR(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
