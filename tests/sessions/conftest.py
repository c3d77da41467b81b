"""A database of sessions for each test, in SQLite and in a PostgreSQL server that is started for the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from fer_core.sessions.database import Database, open_database


class PostgresServer:
    """A PostgreSQL server on a free port of the loopback interface, with its data in a folder of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data = programs, folder / "data"
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("initdb", "-D", str(self._data), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()

    def url(self, name: str) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def new_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        engine = create_engine(
            self.url("postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*become, str(self._programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr


def _programs() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL server; tests that need it skip where none is installed."""
    if (programs := _programs()) is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not below pytest's own folder, which only the user who runs the tests may enter.
    folder = Path(tempfile.mkdtemp(prefix="fer-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = PostgresServer(programs, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of its own."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_DATABASE_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def sqlite(home) -> Database:
    """The database in the home folder."""
    database = open_database()
    yield database
    database.engine.dispose()


@pytest.fixture
def postgres_database(postgres, home, monkeypatch, request) -> Database:
    """A fresh database of the PostgreSQL server, set as the one to use."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    monkeypatch.setenv("FER_DATABASE_URL", postgres.new_database(name))
    database = open_database()
    yield database
    database.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request) -> Database:
    """The same empty database of sessions in SQLite and in PostgreSQL."""
    return request.getfixturevalue("sqlite" if request.param == "sqlite" else "postgres_database")
