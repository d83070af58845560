"""The virtual environment: made once, and again only when it has to be."""

import subprocess
import venv
from pathlib import Path

import pytest

from devstack import bootstrap


@pytest.fixture
def installs(tmp_path: Path, monkeypatch) -> list[list[str]]:
    """A clone with an empty lock, and a stand-in for pip that succeeds."""
    ran: list[list[str]] = []
    real = subprocess.run

    def run(command, **options):
        if "install" not in command:
            return real(command, **options)
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    def create(directory, **_):
        venv.EnvBuilder(symlinks=True).create(directory)  # without pip: 10 times as fast
        (next((directory / "lib").glob("python3.*/site-packages")) / "pip.py").touch()

    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr("venv.create", create)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "installed")
    bootstrap.LOCK.write_text("")
    return ran


class TestBootstrap:
    def test_the_second_run_does_nothing_and_a_new_lock_installs_again(self, installs):
        bootstrap.main()
        assert len(installs) == 1
        assert "--require-hashes" in installs[0]
        bootstrap.main()
        assert len(installs) == 1
        bootstrap.LOCK.write_text("# changed\n")
        bootstrap.main()
        assert len(installs) == 2

    def test_the_clone_is_used_in_place(self, installs):
        (bootstrap.ROOT / "yichuang").mkdir()
        (bootstrap.ROOT / "yichuang" / "__init__.py").touch()
        (bootstrap.ROOT / "yichuang" / "cli.py").write_text(
            "import sys\ndef app(prog_name):\n    print(prog_name, sys.argv[1:])\n"
        )
        bootstrap.main()
        launcher = bootstrap.VENV / "bin" / "yichuang"
        outcome = subprocess.run([launcher, "doctor", "--all"], capture_output=True, text=True)
        assert outcome.stdout == "yichuang ['doctor', '--all']\n"

    def test_without_ensurepip_it_says_what_to_install(self, installs, monkeypatch):
        def create(*_, **__):
            raise subprocess.CalledProcessError(1, ["ensurepip"])

        monkeypatch.setattr("venv.create", create)
        with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
            bootstrap.main()
        assert not bootstrap.VENV.exists()

    def test_a_virtual_environment_whose_python_is_gone_is_made_anew(self, installs):
        bootstrap.main()
        bootstrap.PYTHON.unlink()
        bootstrap.main()
        assert len(installs) == 2
        assert bootstrap.PYTHON.exists()
