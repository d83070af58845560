"""What every community and town adds to the sums: one SQL text for a change, a recount and a what-if.

`facts_sql` gathers one row per community in force out of figures, facilities, rooms and devices;
`EXPRESSIONS` turns that row into the measures that are summed up the tree. A figure that nobody
recorded takes its community out of numerator and denominator, and counts as missing.

Source of the formulas: 运政办发〔2023〕14号 (the ten indicators and 二(四)2), 吉办发〔2016〕3号 (areas),
民发〔2022〕56号, 国办发〔2021〕56号; how missing figures are treated is ours.
"""

from string import Template

from sqlalchemy import TextClause, text

from services.facilities.models import MEASURES

#: Square metres. Source: 吉办发〔2016〕3号 (200 and 1000), 运政办发〔2023〕14号 (500).
RURAL_CENTRE_M2, SQUARE_M2, URBAN_CENTRE_M2 = 200, 1000, 500
#: 每个治保会不少于 3 人. Source: 运政办发〔2023〕14号.
SECURITY_MEMBERS = 3
#: 开放服务时间一般不少于每天 8 小时. Source: 国办发〔2021〕56号, 运政办发〔2023〕14号.
DAILY_HOURS = 8

#: A facility as the indicators see it; `:extra` adds places that are only thought of.
_SITE_COLUMNS = """id uuid, division_code text, facility_type text, total_area_m2 numeric,
        activity_area_m2 numeric, host_id uuid, weekly_hours jsonb"""

#: Hours are full when every day on which the place opens has them.
_FULL_HOURS = """(
            SELECT bool_and(open_for >= make_interval(hours => $daily_hours)) FROM (
                SELECT sum(CAST(part ->> 'closes' AS interval) - CAST(part ->> 'opens' AS interval))
                FROM jsonb_each(site.weekly_hours) AS day,
                     jsonb_array_elements(day.value) AS part
                GROUP BY day.key
            ) AS days (open_for)
        )"""

#: One row of facts per community in force.
_FACTS = """
    WITH site AS (
        SELECT id, division_code, facility_type, total_area_m2, activity_area_m2, host_id,
               weekly_hours
        FROM facility WHERE state = 'open' $facility_codes
        UNION ALL
        SELECT * FROM jsonb_to_recordset(CAST(:extra AS jsonb)) AS thought_of ($site_columns)
    ), judged AS (
        SELECT site.division_code, site.facility_type, site.total_area_m2, site.activity_area_m2,
            type.is_comprehensive AS is_centre,
            -- 一室多用: what lies inside another centre is part of that one's area.
            type.is_comprehensive AND NOT coalesce(host_type.is_comprehensive, false) AS has_area,
            type.group_code = 'daily-life' AND type.form = 'place' AND host.id IS NULL AS is_commerce,
            site.weekly_hours IS NOT NULL AS has_hours,
            CASE WHEN type.is_comprehensive THEN $full_hours END AS has_full_hours
        FROM site
        JOIN facility_type AS type ON type.code = site.facility_type
        LEFT JOIN facility AS host ON host.id = site.host_id AND host.state = 'open'
        LEFT JOIN facility_type AS host_type ON host_type.code = host.facility_type
    ), place AS (
        SELECT division_code,
            count(*) FILTER (WHERE is_centre) AS centres,
            coalesce(sum(total_area_m2) FILTER (WHERE has_area), 0) AS centre_area,
            count(*) FILTER (WHERE has_area AND total_area_m2 IS NULL) AS unmeasured_centres,
            max(total_area_m2) FILTER (WHERE is_centre) AS largest_centre,
            coalesce(sum(total_area_m2) FILTER (WHERE has_area AND activity_area_m2 IS NOT NULL), 0)
                AS measured_area,
            coalesce(sum(activity_area_m2) FILTER (WHERE has_area), 0) AS activity_area,
            count(*) FILTER (WHERE has_area AND activity_area_m2 IS NULL) AS centres_without_activity,
            coalesce(sum(total_area_m2) FILTER (WHERE is_commerce), 0) AS commerce_area,
            count(*) FILTER (WHERE is_commerce AND total_area_m2 IS NULL) AS unmeasured_commerce,
            count(*) FILTER (WHERE is_centre AND has_hours) AS timed_centres,
            count(*) FILTER (WHERE is_centre AND has_full_hours) AS full_hours_centres,
            count(*) FILTER (WHERE facility_type = 'self-service-terminal') AS terminals,
            count(*) FILTER (WHERE facility_type = 'agent-window') AS agent_windows,
            count(*) FILTER (WHERE facility_type = 'supply-cooperative') AS cooperatives,
            max(total_area_m2) FILTER (WHERE facility_type = 'culture-square') AS largest_square,
            count(*) FILTER (WHERE facility_type = 'culture-square' AND total_area_m2 IS NULL)
                AS unmeasured_squares
        FROM judged GROUP BY division_code
    ), inside AS (
        SELECT facility.division_code, count(*) FILTER (WHERE what = 'terminal') AS terminals,
            count(*) FILTER (WHERE what = 'agent') AS agent_windows
        FROM (
            SELECT facility_id, 'terminal' AS what FROM device
            WHERE kind = 'self-service-terminal' AND state <> 'retired'
            UNION ALL
            SELECT facility_id, 'agent' FROM room WHERE 'agent-window' = ANY(uses)
        ) AS thing JOIN facility ON facility.id = thing.facility_id
        WHERE facility.state = 'open' $facility_codes
        GROUP BY facility.division_code
    ), figures AS (
        SELECT DISTINCT ON (community_code) *
        FROM community_figures WHERE true $figure_codes ORDER BY community_code, year DESC
    ), survey AS (
        -- Once a year, some time of the year: until then last year's counts.
        SELECT division_code, bool_or(is_covered) AS is_covered FROM community_survey
        WHERE year >= extract(year FROM timezone('Asia/Shanghai', now())) - 1 $survey_codes
        GROUP BY division_code
    ), fact AS (
        SELECT division.code, division.community_kind AS kind, figures.year AS figures_year,
            figures.households, figures.residents, figures.floor_area_m2, figures.workers,
            figures.certified_workers, figures.social_organisations, figures.is_resettlement,
            figures.has_deliberation_list, figures.has_work_list, figures.has_assessment_list,
            figures.has_seal_list, figures.security_members, figures.has_unified_forms,
            figures.has_online_service,
            coalesce(place.centres, 0) AS centres,
            coalesce(place.centre_area, 0) AS centre_area,
            coalesce(place.unmeasured_centres, 0) AS unmeasured_centres,
            place.largest_centre,
            coalesce(place.measured_area, 0) AS measured_area,
            coalesce(place.activity_area, 0) AS activity_area,
            coalesce(place.centres_without_activity, 0) AS centres_without_activity,
            coalesce(place.commerce_area, 0) AS commerce_area,
            coalesce(place.unmeasured_commerce, 0) AS unmeasured_commerce,
            coalesce(place.timed_centres, 0) AS timed_centres,
            coalesce(place.full_hours_centres, 0) AS full_hours_centres,
            coalesce(place.terminals, 0) + coalesce(inside.terminals, 0) AS terminals,
            coalesce(place.agent_windows, 0) + coalesce(inside.agent_windows, 0) AS agent_windows,
            coalesce(place.cooperatives, 0) AS cooperatives,
            place.largest_square,
            coalesce(place.unmeasured_squares, 0) AS unmeasured_squares,
            survey.is_covered IS TRUE AS is_surveyed
        FROM division
        LEFT JOIN survey ON survey.division_code = division.code
        LEFT JOIN figures ON figures.community_code = division.code
        LEFT JOIN place ON place.division_code = division.code
        LEFT JOIN inside ON inside.division_code = division.code
        WHERE division.level = 'community' AND (division.valid_until IS NULL
            OR division.valid_until >= CAST(timezone('Asia/Shanghai', now()) AS date))
            $community_codes
    ), town AS (
        -- 乡、镇 by their number; 街道 (001–099) are none. A cooperative is a town's own where it is
        -- recorded at that level.
        SELECT division.code, 1 AS townships,
            CASE WHEN EXISTS (
                SELECT FROM facility WHERE facility.division_code = division.code
                AND facility_type = 'supply-cooperative' AND state = 'open'
            ) THEN 1 ELSE 0 END AS cooperative_townships
        FROM division
        WHERE division.level = 'township' AND substr(division.code, 7, 3) BETWEEN '100' AND '399'
            AND (division.valid_until IS NULL
                OR division.valid_until >= CAST(timezone('Asia/Shanghai', now()) AS date))
            $community_codes
    )
"""

_VILLAGE = "kind = 'village'"
_URBAN = "kind = 'urban_community'"
_AREA_KNOWN = "households IS NOT NULL AND unmeasured_centres = 0"
_FLOOR_KNOWN = "floor_area_m2 IS NOT NULL AND unmeasured_centres + unmeasured_commerce = 0"
_WORKERS_KNOWN = "workers IS NOT NULL AND residents IS NOT NULL"
_CERTIFIED_KNOWN = "workers IS NOT NULL AND certified_workers IS NOT NULL"
_ORGANISATIONS_KNOWN = "social_organisations IS NOT NULL"
#: All three are there, or one is known not to be.
_LISTS_KNOWN = "(has_work_list AND has_assessment_list AND has_seal_list) IS NOT NULL"


def _is(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _of(value: str, condition: str) -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE 0 END"


#: Measure → what one community adds to it.
EXPRESSIONS: dict[str, str] = {
    "communities": "1",
    "villages": _is(_VILLAGE),
    "urban_communities": _is(_URBAN),
    "covered_villages": _is(f"{_VILLAGE} AND centres > 0"),
    "covered_urban": _is(f"{_URBAN} AND centres > 0"),
    "resettlements": _is("is_resettlement"),
    "covered_resettlements": _is("is_resettlement AND centres > 0"),
    "resettlement_unknown": _is("is_resettlement IS NULL"),
    "households": _of("households", f"{_URBAN} AND {_AREA_KNOWN}"),
    "centre_area": _of("centre_area", f"{_URBAN} AND {_AREA_KNOWN}"),
    "centre_area_unknown": _is(f"{_URBAN} AND NOT ({_AREA_KNOWN})"),
    "floor_area": _of("floor_area_m2", f"{_URBAN} AND {_FLOOR_KNOWN}"),
    "served_area": _of("centre_area + commerce_area", f"{_URBAN} AND {_FLOOR_KNOWN}"),
    "floor_area_unknown": _is(f"{_URBAN} AND NOT ({_FLOOR_KNOWN})"),
    "measured_area": "measured_area",
    "activity_area": "activity_area",
    "activity_unknown": _is("centres_without_activity > 0"),
    "terminal_urban": _is(f"{_URBAN} AND terminals > 0"),
    "worker_residents": _of("residents", f"{_URBAN} AND {_WORKERS_KNOWN}"),
    "workers": _of("workers", f"{_URBAN} AND {_WORKERS_KNOWN}"),
    "workers_unknown": _is(f"{_URBAN} AND NOT ({_WORKERS_KNOWN})"),
    "certified_base": _of("workers", f"{_URBAN} AND {_CERTIFIED_KNOWN}"),
    "certified": _of("certified_workers", f"{_URBAN} AND {_CERTIFIED_KNOWN}"),
    "certified_unknown": _is(f"{_URBAN} AND NOT ({_CERTIFIED_KNOWN})"),
    "urban_organisations": _of("social_organisations", f"{_URBAN} AND {_ORGANISATIONS_KNOWN}"),
    "urban_organisations_counted": _is(f"{_URBAN} AND {_ORGANISATIONS_KNOWN}"),
    "urban_organisations_unknown": _is(f"{_URBAN} AND NOT ({_ORGANISATIONS_KNOWN})"),
    "village_organisations": _of("social_organisations", f"{_VILLAGE} AND {_ORGANISATIONS_KNOWN}"),
    "village_organisations_counted": _is(f"{_VILLAGE} AND {_ORGANISATIONS_KNOWN}"),
    "village_organisations_unknown": _is(f"{_VILLAGE} AND NOT ({_ORGANISATIONS_KNOWN})"),
    "timed_centres": "timed_centres",
    "full_hours_centres": "full_hours_centres",
    "hours_unknown": _is("centres > timed_centres"),
    "agent_communities": _is("agent_windows > 0"),
    "large_centre_villages": _is(f"{_VILLAGE} AND largest_centre >= {RURAL_CENTRE_M2}"),
    "large_centre_unknown": _is(
        f"{_VILLAGE} AND coalesce(largest_centre, 0) < {RURAL_CENTRE_M2} AND unmeasured_centres > 0"
    ),
    "large_square_villages": _is(f"{_VILLAGE} AND largest_square >= {SQUARE_M2}"),
    "large_square_unknown": _is(
        f"{_VILLAGE} AND coalesce(largest_square, 0) < {SQUARE_M2} AND unmeasured_squares > 0"
    ),
    "large_centre_urban": _is(f"{_URBAN} AND largest_centre >= {URBAN_CENTRE_M2}"),
    "large_urban_unknown": _is(
        f"{_URBAN} AND coalesce(largest_centre, 0) < {URBAN_CENTRE_M2} AND unmeasured_centres > 0"
    ),
    "cooperative_villages": _is(f"{_VILLAGE} AND cooperatives > 0"),
    "deliberation_villages": _is(f"{_VILLAGE} AND has_deliberation_list"),
    "deliberation_counted": _is(f"{_VILLAGE} AND has_deliberation_list IS NOT NULL"),
    "deliberation_unknown": _is(f"{_VILLAGE} AND has_deliberation_list IS NULL"),
    "listed_communities": _is("has_work_list AND has_assessment_list AND has_seal_list"),
    "lists_counted": _is(_LISTS_KNOWN),
    "lists_unknown": _is(f"NOT ({_LISTS_KNOWN})"),
    "secured_communities": _is(f"security_members >= {SECURITY_MEMBERS}"),
    "security_counted": _is("security_members IS NOT NULL"),
    "security_unknown": _is("security_members IS NULL"),
    "unified_villages": _is(f"{_VILLAGE} AND has_unified_forms"),
    "forms_counted": _is(f"{_VILLAGE} AND has_unified_forms IS NOT NULL"),
    "forms_unknown": _is(f"{_VILLAGE} AND has_unified_forms IS NULL"),
    "online_communities": _is("has_online_service"),
    "online_counted": _is("has_online_service IS NOT NULL"),
    "online_unknown": _is("has_online_service IS NULL"),
    "surveyed_communities": _is("is_surveyed"),
}
#: What a town of its own adds; no community does.
TOWN_MEASURES = ("townships", "cooperative_townships")
assert set(EXPRESSIONS) | set(TOWN_MEASURES) == set(MEASURES)

ONE_BY_ONE = "= ANY(:codes)"
IN_A_RANGE = "BETWEEN :first AND :last"
#: What a community adds, in the order of `MEASURES`.
MEASURED = ", ".join(f"{EXPRESSIONS.get(name, '0')} AS {name}" for name in MEASURES)
#: What a town adds, in the same order.
TOWN_MEASURED = ", ".join(name if name in TOWN_MEASURES else f"0 AS {name}" for name in MEASURES)
NAMES = ", ".join(MEASURES)


def facts_sql(condition: str = "") -> str:
    """`WITH … fact`: the facts of all communities, or of those whose code meets a condition.

    The condition is SQL of our own: `ONE_BY_ONE` or `IN_A_RANGE`.
    """
    columns = {
        "facility_codes": "facility.division_code",
        "figure_codes": "community_code",
        "survey_codes": "division_code",
        "community_codes": "division.code",
    }
    return Template(_FACTS).substitute(
        {name: f"AND {code} {condition}" if condition else "" for name, code in columns.items()},
        full_hours=Template(_FULL_HOURS).substitute(daily_hours=DAILY_HOURS),
        site_columns=_SITE_COLUMNS,
    )


def statement(template: str, **parts: str) -> TextClause:
    """A statement in which `$name` stands for SQL of our own; values are bound as ever."""
    return text(Template(template).substitute(parts))
