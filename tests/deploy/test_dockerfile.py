"""The image holds what the product needs at run time, pinned, and runs as nobody special."""

from tests.deploy.checks import image as check
from tests.deploy.paths import DEPLOY, ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PYPROJECT = ROOT / "pyproject.toml"
RUNTIME_LOCK = (DEPLOY / "requirements-runtime.lock").read_text()


def test_follows_the_house_rules():
    assert list(check.dockerfile_problems(DOCKERFILE)) == []


def test_holds_every_package_but_the_development_stack():
    assert check.copied_directories(DOCKERFILE) == check.wanted_directories(PYPROJECT)


def test_the_builder_is_sent_what_is_copied():
    allowed = check.allowed_by_ignore_file((ROOT / ".dockerignore").read_text())
    assert allowed == check.wanted_directories(PYPROJECT) | {"deploy/requirements-runtime.lock"}


def test_the_run_time_lock_is_a_part_of_the_full_one():
    full = (ROOT / "requirements.lock").read_text()
    assert list(check.lock_problems(RUNTIME_LOCK, full, PYPROJECT)) == []


def test_every_import_is_in_the_image():
    locked = set(check.pins(RUNTIME_LOCK))
    assert list(check.foreign_imports(ROOT, check.wanted_directories(PYPROJECT), locked)) == []


def test_tools_for_developers_are_imported_where_they_are_used():
    directories = check.wanted_directories(PYPROJECT)
    assert list(check.eager_development_tools(ROOT, directories)) == []


def test_the_default_command_is_there():
    (command,) = [it.text for it in check.instructions(DOCKERFILE) if it.name == "CMD"]
    assert command == '["python", "-m", "yichuang", "--help"]'
    assert (ROOT / "yichuang" / "__main__.py").exists()
