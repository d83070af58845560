"""Keep how far villages were surveyed in a year"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "39d35a4cfc98"
down_revision = "6e1f0c94b7a2"

#: What was surveyed before is told once, so that the topic alone gives the whole state.
_COUNT = """
INSERT INTO survey_coverage (division_code, year, survey_ids, sampled, answered, refused, unreached,
    revision, changed_at)
SELECT t.division_code, v.year, array_agg(t.survey_id ORDER BY t.survey_id), sum(t.sampled),
    sum(s.answered), sum(s.refused), sum(s.unreached), 1, now()
FROM survey_stratum t JOIN survey v ON v.id = t.survey_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'answered') AS answered,
        count(*) FILTER (WHERE state = 'refused') AS refused,
        count(*) FILTER (WHERE state = 'unreached') AS unreached
    FROM survey_sample
    WHERE survey_id = t.survey_id AND division_code = t.division_code
) s
GROUP BY t.division_code, v.year
"""
_TELL = """
INSERT INTO outbox_message (id, topic, key, type, payload)
SELECT gen_random_uuid(), 'yichuang.evaluation.surveys.v1', told.survey_key,
    'cn.yichuang.evaluation.community-surveyed.v1', to_jsonb(told)
FROM (
    SELECT 'survey:' || division_code || ':' || year AS survey_key, division_code, year, survey_ids,
        sampled, answered, refused, unreached, answered > 0 AS is_covered, revision,
        changed_at AS recorded_at
    FROM survey_coverage ORDER BY year, division_code
) told
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '30s'")
    op.create_table(
        "survey_coverage",
        sa.Column("division_code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column(
            "survey_ids",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("sampled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("answered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unreached", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("division_code", "year", name=op.f("pk_survey_coverage")),
    )
    op.create_index("ix_survey_stratum_division", "survey_stratum", ["division_code"], unique=False)
    op.execute(_COUNT)
    op.execute(_TELL)


def downgrade() -> None:
    op.drop_index("ix_survey_stratum_division", table_name="survey_stratum")
    op.drop_table("survey_coverage")
