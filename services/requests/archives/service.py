"""Sealing a case when it is archived, and holding a record against its seal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import NotFound
from servicekit.personal_data import Cipher
from services.requests.archives import repository, rules
from services.requests.clock.rules import LOCAL
from services.requests.metrics import ARCHIVES
from services.requests.submissions.extras import PARTY_IDENTITY, PARTY_MOBILE, PARTY_NAME
from services.requests.submissions.matters import ANSWERS
from services.requests.submissions.service import IDENTITY, MOBILE, NAME

_NOTICE_ANSWER = "correction_notice.answer"
_PERSON = "case_archive.person"


class ArchiveNotFound(NotFound):
    code, title = "archive-not-found", "这个办件还没有归档"


@dataclass(frozen=True, slots=True)
class Contents:
    """All of a case, readable: what is sealed, and what is exported."""

    record: dict[str, Any]
    task_type: str | None
    person: dict[str, Any]
    history: list[dict[str, Any]]
    materials: list[dict[str, Any]]
    proceedings: dict[str, list[dict[str, Any]]]

    def digests(self, cipher: Cipher) -> dict[str, str]:
        """Part → digest.

        That of the person is keyed: nobody finds an identity number by trying them all.
        """
        kept = {"upload_id", "file_name", "content_key"}
        files = [
            {name: value for name, value in each.items() if name not in kept}
            for each in self.materials
        ]
        person = rules.canonical(self.person).decode()
        return {
            "record": rules.digest_of(self.record),
            "person": cipher.tag(person, _PERSON).hex(),
            "history": rules.digest_of(self.history),
            "materials": rules.digest_of(files),
            **{name: rules.digest_of(rows) for name, rows in self.proceedings.items()},
        }


async def load(
    session: AsyncSession, cipher: Cipher, case_id: UUID, *, up_to_version: int | None = None
) -> Contents | None:
    """Everything of a case, decrypted, or None."""
    row = await repository.find_record(session, case_id)
    if row is None:
        return None
    answers = cipher.decrypt(row["answers"], ANSWERS)
    notice = row["notice_answer"]
    person = {
        "name": cipher.decrypt(row["applicant_name"], NAME),
        "identity_number": cipher.decrypt(row["identity_number"], IDENTITY),
        "mobile": cipher.decrypt(row["mobile"], MOBILE),
        "answers": orjson.loads(answers),
        "correction_answer": cipher.decrypt(notice, _NOTICE_ANSWER) if notice else None,
        "parties": [
            _party(cipher, party)
            for party in await repository.list_parties(session, row["request_id"])
        ],
    }
    apart = {*repository.PERSONAL, repository.TASK_TYPE}
    return Contents(
        {name: value for name, value in row.items() if name not in apart},
        row[repository.TASK_TYPE],
        person,
        await repository.list_history(session, case_id, up_to_version or row["version"]),
        await repository.list_materials(session, case_id),
        await repository.list_proceedings(session, case_id),
    )


def _party(cipher: Cipher, row: Mapping[str, Any]) -> dict[str, Any]:
    contexts = {"name": PARTY_NAME, "identity_number": PARTY_IDENTITY, "mobile": PARTY_MOBILE}
    plain = {
        name: cipher.decrypt(row[name], context) if row[name] else None
        for name, context in contexts.items()
    }
    return dict(row) | plain


async def seal(cipher: Cipher, session: AsyncSession, case_id: UUID) -> None:
    """Seal a case as it stands; a seal on the same version is not made twice."""
    newest = await repository.find_newest(session, case_id, lock=True)
    contents = await load(session, cipher, case_id)
    if contents is None or contents.record["archived_on"] is None:
        return
    record = contents.record
    if newest is not None and newest.case_version == record["version"]:
        return
    terms = await repository.terms(session)
    term = rules.term_of(terms, record["item_code"], contents.task_type)
    closed_on: date = record["completed_on"] or record["archived_on"]
    manifest = {
        "case_number": record["case_number"],
        "parts": contents.digests(cipher),
        "before": newest.digest if newest else None,
    }
    await repository.insert_archive(
        session,
        {
            "case_id": case_id,
            "sequence": newest.sequence + 1 if newest else 1,
            "digest": rules.digest_of(manifest),
            "manifest": manifest,
            "case_version": record["version"],
            "closed_on": closed_on,
            "sealed_at": datetime.now(UTC),
            "retain_until": rules.retain_until(closed_on, term.years),
            "retention": term.scope,
        },
    )
    ARCHIVES.labels("sealed").inc()


@dataclass(frozen=True, slots=True)
class Checked:
    """An archive held against its seal."""

    archive: Any
    #: `intact`, `changed`, `reopened` (a later seal will follow) or `destroyed`.
    condition: str
    changed: list[str]


async def check(session: AsyncSession, cipher: Cipher, case_id: UUID) -> Checked:
    """Hold a case against its newest seal.

    Raises:
        ArchiveNotFound: it was never sealed.
    """
    archive = await repository.find_newest(session, case_id)
    if archive is None:
        raise ArchiveNotFound
    if archive.destroyed_at is not None:
        return Checked(archive, "destroyed", [])
    contents = await load(session, cipher, case_id, up_to_version=archive.case_version)
    assert contents is not None
    changed = rules.changed_parts(archive.manifest["parts"], contents.digests(cipher))
    if rules.digest_of(archive.manifest) != archive.digest:
        changed.append("manifest")
    if contents.record["version"] != archive.case_version:
        return Checked(archive, "reopened", changed)
    return Checked(archive, "changed" if changed else "intact", changed)


def today() -> date:
    """The day at the county."""
    return datetime.now(LOCAL).date()
