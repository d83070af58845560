"""Tell the planner how cases lie"""

from alembic import op

revision = "5d0c7be14f92"
down_revision = "31cef5eb4992"

_STATISTICS = {
    "st_service_case_county": 'ON ("left"(division_code, 6))',
    "st_service_case_township": 'ON ("left"(division_code, 9))',
    "st_service_case_unit": "(mcv) ON unit_code, state",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    # The statistics of a partial index do not tell how often its expression has a value.
    for name, columns in _STATISTICS.items():
        op.execute(f"CREATE STATISTICS {name} {columns} FROM service_case")


def downgrade() -> None:
    for name in _STATISTICS:
        op.execute(f"DROP STATISTICS {name}")
