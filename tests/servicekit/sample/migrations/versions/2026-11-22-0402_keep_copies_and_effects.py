"""Keep copies and effects"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "9a3f1c5e7b21"
down_revision = "6bbe6f3d10a9"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    op.create_table(
        "effect",
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_effect")),
    )
    op.create_table(
        "note_copy",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_note_copy")),
    )


def downgrade() -> None:
    op.drop_table("note_copy")
    op.drop_table("effect")
