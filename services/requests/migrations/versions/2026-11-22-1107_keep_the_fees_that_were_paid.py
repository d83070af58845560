"""Keep the fees that were paid"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "c4cc1b03d550"
down_revision = "f4645a71f704"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    op.create_table(
        "case_payment",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_number", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_case_payment_amount_cents")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["service_case.id"], name=op.f("fk_case_payment_case_id_service_case")
        ),
        sa.PrimaryKeyConstraint("case_id", "receipt_number", name=op.f("pk_case_payment")),
    )


def downgrade() -> None:
    op.drop_table("case_payment")
