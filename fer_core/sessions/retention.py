"""Sessions are deleted as many days after they began as their study says."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from fer_core.sessions.database import Database
from fer_core.sessions.rows import ms_of
from fer_core.sessions.schema import consents, kept_baselines, sessions, studies
from fer_core.sessions.videos import remove_unowned

logger = logging.getLogger(__name__)


def delete_expired(database: Database, now_utc: datetime | None = None) -> list[str]:
    """Delete the sessions whose time is over, and baselines and answers to consent texts that are as old.

    Sessions of a study without a number of days stay, and so does one that is being recorded. Returns the names.
    """
    now_utc = now_utc or datetime.now(UTC)
    deleted: list[str] = []
    with database.begin() as connection:
        limited = connection.execute(select(studies).where(studies.c.retention_days.is_not(None))).all()
        for study in limited:
            before_ms = ms_of(now_utc - timedelta(days=study.retention_days))
            old = (sessions.c.study == study.name) & (sessions.c.began_ms < before_ms)
            idle = sessions.c.updated_ms < ms_of(now_utc - timedelta(minutes=10))
            deleted += connection.execute(delete(sessions).where(old & idle).returning(sessions.c.name)).scalars()
            connection.execute(
                delete(consents).where(
                    (consents.c.study == study.name)
                    & (consents.c.answered_ms < before_ms)
                    & consents.c.session_id.is_(None)
                )
            )
            old_baseline = (kept_baselines.c.study == study.name) & (kept_baselines.c.kept_ms < before_ms)
            connection.execute(delete(kept_baselines).where(old_baseline))
    if deleted:
        database.wipe()
        remove_unowned(database)
        logger.info("Deleted after their time of retention: %s", ", ".join(deleted))
    return deleted
