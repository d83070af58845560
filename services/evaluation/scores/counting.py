"""What counts, as SQL: from ratings to facts, and from facts to the counts of subjects and days.

Everything that counts, settles or recounts is made of these three pieces.
"""

from dataclasses import dataclass

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
#: Columns of both: who did it and where may become known after a service was opened, and moves what
#: counts of it.
KNOWN_LATER = ("window_code", "handler_id", "handler_name", "facility_id")
#: What is compared with ratings, rectifications and services whenever these change.
HELD = (*OUTCOMES, *KNOWN_LATER)
#: Residents are asked to rate what is finished; other services are open without being asked for.
_FINISHED = int(ServiceNumber.completion)
_BAD = ", ".join(f"'{level.value}'" for level in RatingLevel if level.is_bad)

#: Whom services count for.
OPENED = (
    "SELECT e.id AS evaluable_id, c.item_id, c.item_name, e.unit_code, e.unit_name, e.window_code, "
    "e.handler_id, e.handler_name, e.facility_id, c.division_code "
    "FROM evaluable e JOIN case_copy c USING (case_id)"
)


def truth(which: str, *, one_by_one: bool = False) -> str:
    """What counts of evaluable services by their ratings and rectifications; `which` filters `e`.

    A range of ids wants `one_by_one`: how many services lie in it a planner can only guess, and it
    would read all ratings there are, or compare each service with each, where keys lead to them.
    """
    keyed = "OFFSET 0" if one_by_one else ""
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
        AS matter_called_back,
      e.window_code, e.handler_id, e.handler_name, e.facility_id
    FROM evaluable e
    CROSS JOIN LATERAL (SELECT * FROM case_copy WHERE case_id = e.case_id {keyed}) c
    LEFT JOIN LATERAL (SELECT * FROM rating
      WHERE evaluable_id = e.id AND assess_number = 1 {keyed}) one ON true
    LEFT JOIN LATERAL (SELECT * FROM rating WHERE evaluable_id = e.id AND assess_number = 2
      AND state = 'counted' {keyed}) two ON true
    LEFT JOIN LATERAL (SELECT * FROM rectification WHERE evaluable_id = e.id {keyed}) x ON true
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


_K = SubjectKind
#: The day on which a fact counts → what it counts for there, each with its condition.
_PARTS = {
    "opened_on": {
        "opened": "true",
        "opened_rated": "current_level IS NOT NULL",
        "promised": "promised",
        "kept": "kept",
    },
    "rated_on": {
        **{name: f"current_level = '{level}'" for level, name in CURRENT.items()},
        **{name: f"first_level = '{level}'" for level, name in FIRST.items()},
        "default_count": "is_default",
    },
    "matter_on": {"matters": "true", **{name: name[:6] + name[7:] for name in _MATTERS[1:]}},
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """How facts are told apart for one kind of subject."""

    kind: SubjectKind
    #: The columns it is grouped by.
    columns: str
    #: The last of them, by which a grouping set is known.
    own: str
    id: str
    name: str = "NULL"
    division: str = "NULL"


_OF_UNIT = "left(max(unit_code), 12)"
_KINDS = (
    _Kind(_K.item, "item_id", "item_id", "item_id::text", "max(item_name)"),
    _Kind(_K.window, "unit_code, window_code", "window_code", "unit_code || ':' || window_code",
          division=_OF_UNIT),
    _Kind(_K.unit, "unit_code", "unit_code", "unit_code", "max(unit_name)", _OF_UNIT),
    _Kind(_K.person, "handler_id", "handler_id", "handler_id::text", "max(handler_name)", _OF_UNIT),
    _Kind(_K.facility, "facility_id", "facility_id", "facility_id::text", division=_OF_UNIT),
    _Kind(_K.channel, "channel", "channel", "channel"),
    _Kind(_K.division, "division_code", "division_code", "division_code"),
)  # fmt: skip
_ENDS = list(SIGNIFICANT_DIGITS.values())
#: One row for each level whose own digits are not all zero: a division and all above it, each once.
_CHAIN = " UNION ALL ".join(
    f"SELECT CASE WHEN substr(subject_id, {start + 1}, {end - start}) <> '{'0' * (end - start)}' "
    f"THEN rpad(left(subject_id, {end}), 12, '0') END AS code"
    for start, end in zip([0, *_ENDS], _ENDS, strict=False)
)


def _by_column(facts: str, day: str, days: str) -> str:
    """The counts of one part of the facts, in one pass for all kinds of subjects."""
    # Nobody rates through a channel what is only open to rating.
    kinds = [each for each in _KINDS if each.kind is not _K.channel or day != "opened_on"]

    def choose(value: str) -> str:
        cases = (f"WHEN GROUPING({k.own}) = 0 THEN {getattr(k, value)}" for k in kinds)
        return f"CASE {' '.join(cases)} END"

    kind = " ".join(f"WHEN GROUPING({k.own}) = 0 THEN '{k.kind}'" for k in kinds)
    conditions = _PARTS[day]
    sums = ", ".join(
        f"coalesce(sum(sign) FILTER (WHERE {conditions[name]}), 0)::int AS {name}"
        if name in conditions
        else f"0 AS {name}"
        for name in COUNTS
    )
    sets = ", ".join(f"({k.columns}, {day})" for k in kinds)
    return (
        f"SELECT CASE {kind} END AS subject_kind, {choose('id')} AS subject_id, "  # noqa: S608
        f"{choose('name')} AS subject_name, {choose('division')} AS division_code, "
        f"{day} AS day, {sums} FROM ({facts}) fact WHERE {days.format(day=day)} "
        f"GROUP BY GROUPING SETS ({sets})"
    )


def by_day(facts: str, days: str = "{day} IS NOT NULL") -> str:
    """The counts of subjects by day, of a set of facts each with a `sign`.

    `days` filters; it may use an index of `{day}`.
    """
    names = ", ".join(COUNTS)
    sums = ", ".join(f"sum({name})::int AS {name}" for name in COUNTS)
    columns = " UNION ALL ".join(_by_column(facts, day, days) for day in _PARTS)
    return f"""
    SELECT subject_kind, subject_id, day, max(subject_name) AS subject_name,
      max(division_code) AS division_code, {sums}
    FROM (WITH counted AS ({columns})
      SELECT * FROM counted WHERE subject_kind <> '{_K.division}'
      UNION ALL SELECT subject_kind, code, NULL, code, day, {names}
      FROM counted CROSS JOIN LATERAL ({_CHAIN}) above WHERE subject_kind = '{_K.division}') subject
    WHERE subject_id IS NOT NULL
    GROUP BY subject_kind, subject_id, day
    """  # noqa: S608 - made of code alone
