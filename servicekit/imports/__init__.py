"""Imports of sheets: upload, dry run, progress, and a report that says what is wrong in which row.

A service takes them in with four pieces:

1. Tables, beside its others, and a migration for them:

       class ImportJob(imports.ImportJobColumns, Base, table=True): pass
       class ImportChunk(imports.ImportChunkColumns, Base, table=True): pass
       class ImportProblem(imports.ImportProblemColumns, Base, table=True): pass

2. A handler of rows (`RowHandler`): `check` sorts a batch into rows that may be applied and
   problems, `apply` writes the clean ones and says whether each was created, changed or stands so
   already. Dirty rows never stop clean ones; a row that is neither ready nor refused is an error.

3. In `app.py` the endpoints, and leave for that path to take files:

       NOTES = import_router("note-imports", kind="notes", presets=(), uploaders=("editor",), readers=("auditor",))
       create_service_app(…, routers=[…, NOTES], uploads=[import_upload("note-imports")])

   and a line in the gateway's route table with `body_limit_bytes=64 * MEBIBYTE`.

4. In `worker.py` the job that works files off:

       WorkerParts(jobs=[ImportRunner({"notes": NoteRows()}).run])

The file lies in the service's database until its job has ended, so any replica's worker can go on
after a kill: a batch of 200 rows, its report and the job's counters are one transaction. A dry run
does the same and rolls each batch back. Memory is bounded by a batch, plus eight bytes a row to find
the same thing twice in one file.
"""

from servicekit.imports.endpoints import import_router, import_upload
from servicekit.imports.rows import Checked, ImportJob, Outcome, Problem, Row, RowHandler
from servicekit.imports.runner import ImportRunner
from servicekit.imports.tables import ImportChunkColumns, ImportJobColumns, ImportProblemColumns

__all__ = [
    "Checked",
    "ImportChunkColumns",
    "ImportJob",
    "ImportJobColumns",
    "ImportProblemColumns",
    "ImportRunner",
    "Outcome",
    "Problem",
    "Row",
    "RowHandler",
    "import_router",
    "import_upload",
]
