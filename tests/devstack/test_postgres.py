"""Real PostgreSQL under our own manager: start, crash, recovery, databases."""

import os
from collections.abc import Iterator

import asyncpg
import pytest

from devstack import postgres_home
from devstack.account import Account
from devstack.child import Child
from devstack.ports import PortTaken, pick_free_port
from devstack.postgres import PostgresFailed, PostgresServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    made = PostgresServer(tmp_path_factory.mktemp("postgres"), pick_free_port(), fast=True)
    made.start()
    yield made
    made.remove()


class TestCreateDatabase:
    async def test_repeating_it_sets_the_new_password_and_keeps_the_data(self, server):
        server.create_database("clerk", "window", "first")
        connection = await asyncpg.connect(server.dsn("window", "clerk", "first"))
        await connection.execute("CREATE TABLE kept (id int)")
        await connection.close()
        server.create_database("clerk", "window", "p@ss: w/ord '%")
        connection = await asyncpg.connect(server.dsn("window", "clerk", "p@ss: w/ord '%"))
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn("window", "clerk", "first"))

    async def test_other_roles_may_not_connect(self, server):
        server.create_database("mine", "mine", "secret")
        server.create_database("yours", "yours", "secret")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(server.dsn("mine", "yours", "secret"))

    async def test_text_sorts_and_folds_as_unicode_in_utc(self, server):
        connection = await asyncpg.connect(server.superuser_dsn)
        assert await connection.fetchval("SELECT upper('ä')") == "Ä"
        assert await connection.fetchval("SHOW timezone") == "UTC"
        await connection.close()


class TestLife:
    async def test_what_was_committed_survives_kill_minus_9(self, server):
        server.create_database("crash", "crash", "secret")
        dsn = server.dsn("crash", "crash", "secret")
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE TABLE IF NOT EXISTS fact (id int PRIMARY KEY)")
        for number in range(1, 4):
            await connection.execute("INSERT INTO fact VALUES ($1)", number)
            before = server.pid
            server.kill()
            assert not server.running
            server.start()
            assert server.pid != before
            connection.terminate()
            connection = await asyncpg.connect(dsn)
            assert await connection.fetchval("SELECT count(*) FROM fact") == number
        await connection.close()

    def test_starting_twice_is_starting_once(self, server):
        before = server.pid
        server.start()
        assert server.pid == before

    def test_stale_locks_naming_another_process_are_no_obstacle(self, server):
        server.stop()
        locks = [server.home / "data" / "postmaster.pid"]
        locks += [server.home / "socket" / f".s.PGSQL.{server.port}.lock"]
        for lock in locks:
            lock.write_text(f"{os.getppid()}\n")
        server.start()
        assert server.running

    def test_a_server_that_outlived_its_parent_is_replaced(self, server):
        forgotten = server._child
        server._child = Child()
        server.start()
        assert server.running
        assert not forgotten.running
        forgotten.reap()

    def test_a_taken_port_is_named(self, server, tmp_path):
        other = PostgresServer(tmp_path / "other", server.port, fast=True)
        with pytest.raises(PortTaken, match=str(server.port)):
            other.start()
        other.remove()

    def test_a_start_that_fails_says_why(self, tmp_path):
        broken = PostgresServer(tmp_path / "broken", pick_free_port(), fast=True)
        broken.start()
        broken.stop()
        (broken.home / "data" / "pg_hba.conf").unlink()
        with pytest.raises(PostgresFailed, match=r"pg_hba\.conf"):
            broken.start()
        broken.remove()

    def test_remove_leaves_nothing(self, tmp_path):
        made = PostgresServer(tmp_path / "gone", pick_free_port(), fast=True)
        made.start()
        home = made.home
        made.remove()
        assert not home.exists()
        assert not (tmp_path / "gone").exists()


class TestHome:
    def test_parents_keep_their_permissions_and_the_data_goes_elsewhere(self, tmp_path):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        nobody = Account(uid=65_534, gid=65_534)
        if os.geteuid() != 0:
            pytest.skip("only root can act for another account")
        home = postgres_home.choose(closed / "postgres", nobody)
        assert home == postgres_home.elsewhere(closed / "postgres")
        assert closed.stat().st_mode & 0o777 == 0o700
        assert nobody.may_enter(home)
        postgres_home.remove(closed / "postgres")
        assert not home.exists()

    def test_stand_ins_of_directories_that_are_gone_are_swept_away(self, tmp_path, monkeypatch):
        if os.geteuid() != 0:
            pytest.skip("only root can act for another account")
        monkeypatch.setattr(postgres_home, "ELSEWHERE", tmp_path)
        nobody = Account(uid=65_534, gid=65_534)
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        abandoned = postgres_home.choose(closed / "first", nobody)
        kept = postgres_home.choose(closed / "second", nobody)
        (closed / "first").rmdir()
        postgres_home.choose(closed / "third", nobody)
        assert not abandoned.exists()
        assert kept.exists()

    def test_our_own_account_stays_where_it_was_asked_to(self, tmp_path):
        ourselves = Account(os.geteuid(), os.getegid())
        wanted = tmp_path / "a" / "b"
        assert postgres_home.choose(wanted, ourselves) == wanted

    def test_binaries_out_of_reach_are_copied(self, tmp_path, monkeypatch):
        if os.geteuid() != 0:
            pytest.skip("only root can act for another account")
        install = postgres_home.installation()
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        (closed / "pginstall").symlink_to(install)
        monkeypatch.setattr(postgres_home, "installation", lambda: closed / "pginstall")
        nobody = Account(uid=65_534, gid=65_534)
        home = postgres_home.choose(closed / "home", nobody)
        copied = postgres_home.binaries_for(nobody, home)
        assert copied.is_relative_to(home)
        assert nobody.runs([str(copied / "postgres"), "--version"])
        postgres_home.remove(closed / "home")
