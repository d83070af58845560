"""What counts, as SQL: from ratings to facts, and from facts to the counts of subjects and days.

Everything that counts, settles or recounts is made of these three pieces.
"""

from contracts.values import SIGNIFICANT_DIGITS, RatingLevel
from services.evaluation.models import ServiceNumber, SubjectKind
from services.evaluation.scores.rules import Grain

ZONE = "Asia/Shanghai"


def _column(group: str, level: RatingLevel) -> str:
    return f"{group}_{level.value.replace('-', '_')}"


CURRENT = {level: _column("current", level) for level in RatingLevel}
FIRST = {level: _column("first", level) for level in RatingLevel}
_OPENED = ("opened", "opened_rated", "promised", "kept")
_MATTERS = (
    "matters",
    "matters_solved",
    "matters_answered",
    "matters_in_time",
    "matters_called_back",
)
RATINGS = (*CURRENT.values(), *FIRST.values(), "default_count")
COUNTS = (*RATINGS, *_OPENED, *_MATTERS)
TABLES = {
    Grain.day: "score_day",
    Grain.month: "score_month",
    Grain.year: "score_year",
    Grain.all: "score",
}

#: Columns of `score_fact` that say whom a service counts for.
SUBJECTS = (
    "item_id",
    "item_name",
    "unit_code",
    "unit_name",
    "window_code",
    "handler_id",
    "handler_name",
    "facility_id",
    "division_code",
)
#: Columns that say what counts of it now.
OUTCOMES = (
    "opened_on",
    "promised",
    "kept",
    "rated_on",
    "channel",
    "first_level",
    "current_level",
    "is_default",
    "matter_on",
    "matter_solved",
    "matter_answered",
    "matter_in_time",
    "matter_called_back",
)
#: Residents are asked to rate what is finished; other services are open without being asked for.
_FINISHED = int(ServiceNumber.completion)
_BAD = ", ".join(f"'{level.value}'" for level in RatingLevel if level.is_bad)

#: Whom services count for.
OPENED = (
    "SELECT e.id AS evaluable_id, c.item_id, c.item_name, e.unit_code, e.unit_name, e.window_code, "
    "e.handler_id, e.handler_name, e.facility_id, c.division_code "
    "FROM evaluable e JOIN case_copy c USING (case_id)"
)


def truth(which: str) -> str:
    """What counts of evaluable services by their ratings and rectifications; `which` filters `e`."""
    return f"""
    SELECT e.id AS evaluable_id,
      CASE WHEN e.service_number = {_FINISHED} THEN (e.opened_at AT TIME ZONE '{ZONE}')::date END
        AS opened_on,
      e.service_number = {_FINISHED} AND c.completed_on IS NOT NULL AND c.promised_on IS NOT NULL AS promised,
      coalesce(e.service_number = {_FINISHED} AND c.completed_on <= c.promised_on, false) AS kept,
      CASE WHEN r.rated THEN one.given_on END AS rated_on,
      CASE WHEN r.rated THEN one.channel END AS channel,
      r.first_level, r.current_level, r.is_default,
      CASE WHEN m.counts THEN (x.opened_at AT TIME ZONE '{ZONE}')::date END AS matter_on,
      m.counts AND x.state = 'closed' AND coalesce(x.solved, false) AS matter_solved,
      m.answered AS matter_answered,
      m.answered AND (x.replied_at AT TIME ZONE '{ZONE}')::date <= x.due_on AS matter_in_time,
      m.counts AND EXISTS (SELECT FROM rectification_step s WHERE s.rectification_id = x.id
        AND s.action IN ('confirm-solved', 'find-unsolved', 'close-unreached'))
        AS matter_called_back
    FROM evaluable e JOIN case_copy c USING (case_id)
    LEFT JOIN rating one ON one.evaluable_id = e.id AND one.assess_number = 1
    LEFT JOIN rating two ON two.evaluable_id = e.id AND two.assess_number = 2
      AND two.state = 'counted'
    LEFT JOIN rectification x ON x.evaluable_id = e.id
    CROSS JOIN LATERAL (SELECT CASE WHEN one.origin = 'resident' AND one.state = 'counted'
      THEN one.level END AS first_level) f
    CROSS JOIN LATERAL (SELECT f.first_level, coalesce(two.level, f.first_level) AS current_level,
      coalesce(one.origin = 'default' AND one.state = 'counted', false) AS is_default,
      one.origin = 'default' AND one.state = 'counted' OR f.first_level IS NOT NULL
        OR two.level IS NOT NULL AS rated) r
    CROSS JOIN LATERAL (SELECT n.counts, n.counts AND x.state IN ('replied', 'closed')
      AND x.replied_at IS NOT NULL AND x.due_on IS NOT NULL AS answered
      FROM (SELECT x.id IS NOT NULL AND (coalesce(r.first_level IN ({_BAD}), false)
        OR coalesce(r.current_level IN ({_BAD}), false)) AS counts) n) m
    WHERE {which}
    """  # noqa: S608 - made of code alone


def _sum(name: str, part: str, condition: str) -> str:
    return f"sum(sign) FILTER (WHERE part = '{part}' AND ({condition}))::int AS {name}"


_SUMS = ", ".join(
    f"coalesce({each.rpartition(' AS ')[0]}, 0) AS {each.rpartition(' AS ')[2]}"
    for each in (
        *(_sum(name, "rating", f"current_level = '{level}'") for level, name in CURRENT.items()),
        *(_sum(name, "rating", f"first_level = '{level}'") for level, name in FIRST.items()),
        _sum("default_count", "rating", "is_default"),
        _sum("opened", "opened", "true"),
        _sum("opened_rated", "opened", "current_level IS NOT NULL"),
        _sum("promised", "opened", "promised"),
        _sum("kept", "opened", "kept"),
        _sum("matters", "matter", "true"),
        _sum("matters_solved", "matter", "matter_solved"),
        _sum("matters_answered", "matter", "matter_answered"),
        _sum("matters_in_time", "matter", "matter_in_time"),
        _sum("matters_called_back", "matter", "matter_called_back"),
    )
)
_K = SubjectKind
_ENDS = list(SIGNIFICANT_DIGITS.values())
#: One row for each level whose own digits are not all zero.
_CHAIN = " ".join(
    f"UNION ALL SELECT '{_K.division}', code, NULL, code FROM (SELECT CASE WHEN "  # noqa: S608
    f"substr(division_code, {start + 1}, {end - start}) <> '{'0' * (end - start)}' "
    f"THEN rpad(left(division_code, {end}), 12, '0') END AS code) level_{end}"
    for start, end in zip([0, *_ENDS], _ENDS, strict=False)
)
#: A division counts for itself and for all above it, each once.
_SUBJECT = f"""
    SELECT '{_K.item}' AS subject_kind, item_id::text AS subject_id, item_name AS subject_name,
      NULL AS subject_division
    UNION ALL SELECT '{_K.unit}', unit_code, unit_name, left(unit_code, 12)
    UNION ALL SELECT '{_K.window}', unit_code || ':' || window_code, NULL, left(unit_code, 12)
    UNION ALL SELECT '{_K.person}', handler_id::text, handler_name, left(unit_code, 12)
    UNION ALL SELECT '{_K.facility}', facility_id::text, NULL, left(unit_code, 12)
    UNION ALL SELECT '{_K.channel}', CASE WHEN part <> 'opened' THEN channel END, NULL, NULL
    {_CHAIN}
"""


def by_day(facts: str, days: str = "true") -> str:
    """The counts of subjects by day, of a set of facts each with a `sign`; `days` filters `day`."""
    return f"""
    SELECT subject_kind, subject_id, day, max(subject_name) AS subject_name,
      max(subject_division) AS division_code, {_SUMS}
    FROM ({facts}) fact
    CROSS JOIN LATERAL (VALUES ('opened', opened_on), ('rating', rated_on), ('matter', matter_on))
      AS part (part, day)
    CROSS JOIN LATERAL ({_SUBJECT}) subject
    WHERE day IS NOT NULL AND subject_id IS NOT NULL AND {days}
    GROUP BY subject_kind, subject_id, day
    """  # noqa: S608 - made of code alone
