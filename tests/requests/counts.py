"""Open cases as they are kept counted, and counted anew."""

RECOUNT = """
SELECT coalesce(unit_code, '') AS unit_code, left(division_code, 9) AS township, state, light,
    count(*)::int AS cases
FROM service_case WHERE state IN ('received', 'correcting', 'accepted', 'paused', 'decided')
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
KEPT = """
SELECT unit_code, township, state, light, sum(cases)::int AS cases FROM (
    SELECT unit_code, township, state, light, cases FROM work_count
    UNION ALL SELECT unit_code, township, state, light, cases FROM work_delta
) AS kept GROUP BY 1, 2, 3, 4 HAVING sum(cases) <> 0 ORDER BY 1, 2, 3, 4
"""
