"""Opening the database: migrations under a lock, URLs, and what a newer version wrote."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from fer_core.errors import SessionError, SettingsError
from fer_core.sessions import database as module
from fer_core.sessions.database import open_database
from fer_core.sessions.schema import tables

ROOT = Path(__file__).parents[2]


def test_the_migrations_make_the_tables_that_the_program_uses(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables) == []


def test_it_is_opened_once_and_again_where_its_file_is_gone(sqlite):
    assert open_database() is sqlite
    sqlite.engine.dispose()
    sqlite.file.unlink()
    assert open_database() is not sqlite and sqlite.file.exists()


def test_sqlite_writes_ahead_obeys_keys_and_wipes(sqlite):
    with sqlite.begin() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        assert [connection.execute(text(f"PRAGMA {name}")).scalar() for name in pragmas] == ["wal", 2, 1, 1]


def test_programs_that_start_at_once_upgrade_it_once(home, postgres):
    code = "import sys; from fer_core.sessions.database import open_database; open_database(sys.argv[1])"
    urls = [f"sqlite:///{home}/new.db"] * 2 + [postgres.new_database("new")] * 2
    children = [
        subprocess.Popen([sys.executable, "-c", code, url], cwd=ROOT, stderr=subprocess.PIPE, text=True) for url in urls
    ]
    errors = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0] * 4, errors


def test_an_upgrade_that_is_cut_off_leaves_nothing_half_done(home, request, monkeypatch):
    upgrade = module.command.upgrade

    def cut_off(config, revision):
        upgrade(config, revision)
        assert inspect(config.attributes["connection"]).has_table("face_rows")
        raise KeyboardInterrupt

    for fixture in ("sqlite", "postgres"):
        server = None if fixture == "sqlite" else request.getfixturevalue(fixture)
        url = server.new_database("cut_off") if server else f"sqlite:///{home}/cut_off.db"
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(module.command, "upgrade", cut_off)
            open_database(url)
        with open_database(url).begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM face_rows")).scalar() == 0


def test_what_an_earlier_version_wrote_is_kept(home, request, monkeypatch):
    upgrade = module.command.upgrade
    for fixture in ("sqlite", "postgres"):
        server = None if fixture == "sqlite" else request.getfixturevalue(fixture)
        url = server.new_database("earlier") if server else f"sqlite:///{home}/earlier.db"
        with monkeypatch.context() as patch:
            patch.setattr(module.command, "upgrade", lambda config, _: upgrade(config, "0001"))
            with open_database(url).begin() as connection:
                connection.execute(
                    text(
                        "INSERT INTO consents (study, participant, text, agreed, answered_ms) "
                        "VALUES ('pilot', 'P1', 'May we?', true, 1)"
                    )
                )
        module._open.pop(url).engine.dispose()
        with open_database(url).begin() as connection:
            assert connection.execute(text("SELECT text, agreed, picture FROM consents")).all() == [
                ("May we?", True, None)
            ]


def test_what_a_newer_version_wrote_is_not_touched(database):
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    module._open.clear()
    with pytest.raises(SessionError, match=r"a newer version of this program wrote it\. Update this program"):
        open_database()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "it is no URL"),
        ("mysql://me@host/name", "got one of mysql"),
        ("sqlite://", "got one of sqlite"),
    ],
)
def test_another_url_is_refused_in_words(home, monkeypatch, url, words):
    monkeypatch.setenv("FER_DATABASE_URL", url)
    with pytest.raises(SettingsError, match=words):
        open_database()


def test_a_server_that_is_not_there_is_named_without_the_password(home):
    with pytest.raises(SessionError, match="does not answer") as caught:
        open_database("postgresql://me:secret@127.0.0.1:9/name")
    assert "secret" not in str(caught.value) and "postgresql+psycopg://me:***@127.0.0.1:9/name" in str(caught.value)
