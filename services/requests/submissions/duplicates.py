"""What may be duplicates of a request, as SQL: hinted at, never refused."""

#: Earlier requests of the same person for the same item are hinted at for so long. Provisional.
DUPLICATE_DAYS = 30
DUPLICATES_SHOWN = 5


def duplicates_of(row: str, item_codes: str) -> str:
    """SQL for what may be duplicates of a request `row`: a JSON array, newest first, or NULL.

    A resident is told of their own account's requests only; the window of the person's.
    """
    return f"""(
    SELECT json_agg(json_build_object(
        'number', d.number, 'item_name', d.item_name, 'submitted_at', d.submitted_at
    ) ORDER BY d.id DESC)::text FROM (
        SELECT r.id, r.number, c.item_name, r.submitted_at
        FROM citizen_request r JOIN service_case c ON c.request_id = r.id
        WHERE r.identity_index = {row}.identity_index AND r.id < {row}.id
            AND r.submitted_at > {row}.submitted_at - interval '{DUPLICATE_DAYS} days'
            AND (r.applicant_id = {row}.applicant_id OR {row}.submitted_by IS NOT NULL)
            AND c.item_code IN ({item_codes})
        ORDER BY r.id DESC LIMIT {DUPLICATES_SHOWN}
    ) d
)"""  # noqa: S608 - the arguments are names
