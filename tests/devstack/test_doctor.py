"""`yichuang doctor`: what is looked at, and what is said about it."""

import socket

import pytest

from devstack import account, doctor, jars
from devstack.doctor import Finding, State, examine, passes
from devstack.ports import Ports, pick_free_ports


class TestExamine:
    def test_this_machine_can_run_the_stack(self):
        findings = examine(pick_free_ports())
        assert passes(findings), [each for each in findings if each.state is State.missing]

    def test_whatever_is_not_ok_comes_with_advice(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.delenv("MAVEN_HOME", raising=False)
        lacking = [each for each in examine(pick_free_ports()) if each.state is not State.ok]
        assert {"Java", "Apache Kafka"} <= {each.subject for each in lacking}
        assert all(each.advice for each in lacking)

    def test_a_warning_does_not_fail(self):
        assert passes([Finding("Java", State.warn, "none", "get one")])
        assert not passes([Finding("Python", State.missing, "3.9", "get one")])


class TestChecks:
    @pytest.mark.parametrize(
        ("version", "state"),
        [((3, 11, 0), State.ok), ((3, 14, 1), State.ok), ((3, 10, 9), State.missing)],
    )
    def test_python(self, version, state):
        assert doctor.python_version(version).state is state

    def test_packages_that_differ_from_the_lock_are_named(self, tmp_path):
        lock = tmp_path / "requirements.lock"
        lock.write_text(
            "pytest==0.1 \\\n    --hash=sha256:00\n"
            "not-on-this-machine==1.0 \\\n    --hash=sha256:00\n"
            "only-elsewhere==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
        )
        finding = doctor.packages(lock)
        assert finding.state is State.missing
        assert "not-on-this-machine is missing" in finding.detail
        assert "not 0.1" in finding.detail
        assert "only-elsewhere" not in finding.detail

    def test_a_taken_port_is_named(self):
        with socket.socket() as listener:
            ports = pick_free_ports()
            listener.bind(("127.0.0.1", ports.postgres))
            listener.listen()
            finding = doctor.free_ports(ports)
        assert finding.state is State.warn
        assert f"{ports.postgres} (PostgreSQL)" in finding.detail

    @pytest.mark.parametrize(
        ("gibibytes", "state"), [(10, State.ok), (2, State.warn), (0.5, State.missing)]
    )
    def test_disk_space(self, gibibytes, state):
        assert doctor.disk_space(free_bytes=int(gibibytes * doctor.GIB)).state is state

    def test_root_without_a_way_to_make_an_account(self, tmp_path, monkeypatch):
        monkeypatch.setattr("os.geteuid", lambda: 0)
        monkeypatch.setattr(account, "find", lambda: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert doctor.server_account().state is State.missing

    def test_cached_jars_need_no_maven(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))
        cached = jars.KAFKA.cache_directory(tmp_path)
        cached.mkdir(parents=True)
        (cached / jars.COMPLETE).touch()
        assert doctor.kafka().state is State.ok

    def test_all_ports_of_the_stack_are_looked_at(self):
        assert doctor.free_ports(Ports(offset=20_000)).detail
