"""The database of sessions: SQLite in the home folder, or PostgreSQL; opened once a process, brought up to date first.

Two programs that start at once do not upgrade it both: one waits for the other's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from fer_core.background.locks import exclusive
from fer_core.dependencies import INSTALL_POSTGRES, require_package
from fer_core.errors import JobError, SessionError, SettingsError
from fer_core.settings import database_url, home_folder

BUSY_S = 3.0  # how long a statement waits for a lock of another program
_CONNECT_S = 5
_UPGRADE_PATIENCE_S = 60.0
_UPGRADE_LOCK = 0x46455244  # any number that other programs are not likely to lock
_MIGRATIONS = Path(__file__).parent / "migrations"
# By SQLite's own names of errors: what is wrong, and what to do.
_SQLITE_REASONS = {
    "SQLITE_FULL": ("there is no space left", "Make room."),
    "SQLITE_IOERR": ("its disk cannot be written or read", "Make room, or check the disk."),
    "SQLITE_BUSY": ("another program has locked it", "Close what works on it."),
    "SQLITE_LOCKED": ("another program has locked it", "Close what works on it."),
    "SQLITE_READONLY": ("it may not be written", "Give the right to write it and its folder."),
    "SQLITE_CANTOPEN": ("its file cannot be opened", "Check the folder, or set FER_HOME to one that can be written."),
    "SQLITE_NOTADB": ("its file is not a database", "Put it back from a copy, or move it away to begin a new one."),
    "SQLITE_CORRUPT": ("its file is damaged", "Put it back from a copy, or move it away to begin a new one."),
}


class DatabaseError(SessionError):
    """The database cannot be used.

    Attributes:
        reason: what is wrong, as a clause.
        todo: what to do about it, as a sentence.
        taken: whether only a key was there already.
    """

    def __init__(self, place: str, reason: str, todo: str, taken: bool = False) -> None:
        super().__init__(f"The sessions at {place} cannot be used: {reason}. {todo}")
        self.reason, self.todo, self.taken = reason, todo, taken


@dataclass(frozen=True, eq=False)
class Database:
    """An open database of sessions.

    Attributes:
        engine: its connections.
        place: where it is, without a password.
        file: of SQLite; None elsewhere.
    """

    engine: Engine
    place: str
    file: Path | None

    @contextmanager
    def begin(self) -> Generator[Connection, None, None]:
        """Yield a connection in a transaction, which is kept if the block succeeds.

        Raises:
            DatabaseError: it is locked, lost, full or damaged; nothing of the block was kept.
        """
        if self.file and not self.file.exists():  # SQLite would go on writing to the deleted file
            raise DatabaseError(self.place, "its file was moved or deleted", "Put it back, or begin anew.")
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _translated(error, self.place) from error

    def wipe(self) -> None:
        """Leave nothing of what was deleted in SQLite's log of writes, unless somebody reads it just now."""
        if self.file:
            with suppress(SQLAlchemyError), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


_open: dict[str, Database] = {}
_opening = threading.RLock()


def open_database(url: str | None = None) -> Database:
    """Return the database of sessions, made or brought up to date if it has to be.

    Args:
        url: as `FER_DATABASE_URL`; that of the settings if None.

    Raises:
        SessionError: it cannot be reached or read.
        SettingsError: the URL is not one of SQLite or PostgreSQL.
        DependencyError: the package for PostgreSQL is not installed.
    """
    url = url or database_url() or f"sqlite:///{home_folder() / 'sessions' / 'sessions.db'}"
    with _opening:
        database = _open.get(url)
        if database is None or (database.file and not database.file.exists()):
            if database:
                database.engine.dispose()
            database = _open[url] = _opened(url)
        return database


def _opened(url: str) -> Database:
    parsed = _parsed(url)
    place = parsed.render_as_string(hide_password=True)
    file = None
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "").resolve()
        place = str(file)
        _make_folder(file)
    database = Database(_engine(parsed), place, file)
    try:
        _upgrade(database)
    except SQLAlchemyError as error:
        raise _translated(error, place) from error
    except CommandError as error:
        raise DatabaseError(place, "a newer version of this program wrote it", "Update this program.") from error
    except JobError as error:
        raise SessionError(str(error)) from error
    except OSError as error:
        raise DatabaseError(place, str(error.strerror).lower(), "Check the folder.") from error
    return database


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "FER_DATABASE_URL must be like postgresql://user:password@host/name or sqlite:////path/sessions.db; "
            "it is no URL. Correct it or unset it."
        ) from error
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        require_package("psycopg", "Keeping sessions in PostgreSQL", INSTALL_POSTGRES)
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise SettingsError(
            "FER_DATABASE_URL must be like postgresql://user:password@host/name or sqlite:////path/sessions.db, "
            f"got one of {parsed.get_backend_name()}. Correct it or unset it."
        )
    return parsed


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            str(file), f"its folder cannot be made: {error.strerror}", "Set FER_HOME to one that can be written."
        ) from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_S})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    options = f"-c lock_timeout={BUSY_S * 1000:.0f}"
    return create_engine(
        url, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_S, "options": options, "keepalives_idle": 10}
    )


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Readers work beside the writer, power cuts lose nothing committed, keys hold, deleted content is overwritten."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _upgrade(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    if _revision(database) == head:
        return
    with _upgrade_lock(database), database.engine.begin() as connection:
        if database.file:  # Python's driver begins no transaction for what changes tables
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _upgrade_lock(database: Database) -> Generator[None, None, None]:
    """Keep other programs from upgrading meanwhile."""
    if database.file:
        with exclusive(database.file.with_suffix(".lock"), _UPGRADE_PATIENCE_S):
            yield
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = {int(_UPGRADE_PATIENCE_S * 1000)}"))
        connection.execute(text(f"SELECT pg_advisory_lock({_UPGRADE_LOCK})"))
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock({_UPGRADE_LOCK})"))
            connection.execute(text(f"SET lock_timeout = {BUSY_S * 1000:.0f}"))


def _translated(error: SQLAlchemyError, place: str) -> DatabaseError:
    """Return what a reader of a page can do something with."""
    if isinstance(error, IntegrityError):
        return DatabaseError(place, "what was to be written is there already", "Look again.", taken=True)
    original = getattr(error, "orig", None) or error
    name = str(getattr(original, "sqlite_errorname", ""))
    for prefix, (reason, todo) in _SQLITE_REASONS.items():
        if name.startswith(prefix):
            return DatabaseError(place, reason, todo)
    state = str(getattr(original, "sqlstate", None) or "")
    if state.startswith("53"):
        return DatabaseError(place, "the server has no room or no connection left", "Make room on it.")
    if state in ("55P03", "40P01"):
        return DatabaseError(place, "another program has locked it", "Close what works on it.")
    if getattr(error, "connection_invalidated", False) or state.startswith(("08", "57")) or not state:
        first = str(original).strip().splitlines() or [type(original).__name__]
        return DatabaseError(place, f"the database does not answer ({first[0]})", "Check that its server runs.")
    return DatabaseError(place, str(original).strip().splitlines()[0], "Check the database.")
