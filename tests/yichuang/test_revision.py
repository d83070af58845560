"""Drafting a migration: from tables to a chain that builds them, on a PostgreSQL of its own."""

import shutil
import sys

import pytest

from tests.architecture.tree import ROOT
from yichuang.revision import draft

MODELS = '''"""Tables."""
from sqlmodel import Field, SQLModel
from servicekit.database import service_registry

class Base(SQLModel, registry=service_registry()):
    pass

class Thing(Base, table=True):
    id: int = Field(primary_key=True)
    name: str
'''
ENVIRONMENT = (
    "from servicekit.migrations import run\nfrom drafted.models import Base\nrun(Base.metadata)\n"
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    migrations = tmp_path / "drafted" / "migrations"
    (migrations / "versions").mkdir(parents=True)
    template = ROOT / "tests/servicekit/sample/migrations/script.py.mako"
    shutil.copy(template, migrations)
    for folder in (migrations, migrations.parent):
        (folder / "__init__.py").touch()
    (migrations / "env.py").write_text(ENVIRONMENT)
    (migrations.parent / "models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    yield migrations
    for name in [name for name in sys.modules if name.partition(".")[0] == "drafted"]:
        del sys.modules[name]


def test_a_draft_builds_what_the_tables_say_and_names_the_head(package):
    path = draft("drafted.migrations", "Start with things")
    assert path is not None
    assert path.parent == package / "versions"
    assert path.stem.endswith("_start_with_things")
    written = "".join(path.read_text().replace("'", '"').split())
    assert 'op.create_table("thing",' in written
    head = (package / ".head").read_text().strip()
    assert f'revision="{head}"' in written
    assert draft("drafted.migrations", "Again") is None
    assert [found.name for found in (package / "versions").glob("*.py")] == [path.name]


async def test_an_unknown_service_is_refused(yichuang):
    outcome = await yichuang("revision", "nobody", "Add nothing")
    assert outcome.code == 1
    assert "no service 'nobody'" in outcome.said
