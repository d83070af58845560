"""Keep history, audit and inbox by month"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from servicekit.partitions import MONTHS_AHEAD, Partitioned, months_from

revision = "f4645a71f704"
down_revision = "3cc59774120d"

#: Table → the UUIDv7 column by whose month it is kept, its primary key, its indexes.
_TABLES = {
    "case_history": (
        "case_id",
        "case_id, version",
        {"ix_case_history_feed": "recorded_in, case_id, version"},
    ),
    "data_access": ("id", "id", {"ix_data_access_subject_id": "subject_id"}),
    "processed_event": ("event_id", "consumer, event_id", {}),
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column(
        "case_history",
        sa.Column(
            "recorded_in",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
    )
    month = datetime.now(UTC).date().replace(day=1)
    for table, (column, _, _) in _TABLES.items():
        _rebuild(table, f"PARTITION BY RANGE ({column})")
        each = Partitioned(table)
        op.execute(each.create_rest())
        for ahead in months_from(month, MONTHS_AHEAD + 1):
            op.execute(each.create(ahead))
        _fill(table)


def _rebuild(table: str, partitioning: str) -> None:
    """A new table in place of one that keeps its rows under another name."""
    _, key, indexes = _TABLES[table]
    op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT pk_{table} TO pk_{table}_before")
    for index in indexes:
        op.execute(f"DROP INDEX IF EXISTS {index}")
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
    op.execute(f"CREATE TABLE {table} (LIKE {table}_before INCLUDING DEFAULTS) {partitioning}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({key})")
    for index, columns in indexes.items():
        if "feed" not in index or partitioning:
            op.execute(f"CREATE INDEX {index} ON {table} ({columns})")
    if table == "case_history":
        op.execute(
            f"ALTER TABLE {table}_before DROP CONSTRAINT fk_case_history_case_id_service_case"
        )
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT fk_case_history_case_id_service_case "
            "FOREIGN KEY (case_id) REFERENCES service_case (id)"
        )


def _fill(table: str) -> None:
    op.execute(f"INSERT INTO {table} SELECT * FROM {table}_before")  # noqa: S608 - a constant
    op.execute(f"DROP TABLE {table}_before")


def downgrade() -> None:
    for table in _TABLES:
        _rebuild(table, "")
        _fill(table)
    op.drop_column("case_history", "recorded_in")
