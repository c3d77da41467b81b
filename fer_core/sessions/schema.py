"""The tables of the sessions' database, the same in SQLite and PostgreSQL.

Times of day are milliseconds since 1970 in UTC, times in a session seconds since it began. Scores are float32,
little-endian, one value a label in the order of `sessions.labels`: a number of columns that depends on the model would
need a table for each.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

tables = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _of_session() -> Column[int]:
    return Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False)


# What a group of sessions has in common; the study without a name is for sessions of no study.
studies = Table(
    "studies",
    tables,
    Column("name", String(200), primary_key=True),
    Column("consent_text", Text, nullable=False),
    Column("retention_days", Integer),  # sessions are deleted so many days after they began; never if null
)

sessions = Table(
    "sessions",
    tables,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),  # the time it began, with a number if it is not the first
    Column("title", String(200), nullable=False),
    Column("study", String(200), nullable=False, index=True),
    Column("participant", String(200), nullable=False),
    Column("condition", String(200), nullable=False),
    Column("notes", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("began_ms", BigInteger, nullable=False, index=True),
    Column("ended_ms", BigInteger),  # null while it is recorded, and for one that was cut off
    Column("updated_ms", BigInteger, nullable=False),  # when its recorder last wrote
    Column("length_s", Double, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("problem", Text, nullable=False),  # why it ended early, or what was wrong with what it was imported from
    Column("about", JSON, nullable=False),  # program, model and settings at its beginning
    Column("imported_from", Text),  # folder in which an earlier version had recorded it
)

# Folders that were imported, also after their session was deleted: each is imported once.
imported_folders = Table(
    "imported_folders",
    tables,
    Column("path", Text, primary_key=True),
    Column("imported_ms", BigInteger, nullable=False),
)

models = Table(
    "models",
    tables,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # SHA-256 of `about`
    Column("name", String(200), nullable=False),
    Column("sha256", String(64)),  # of the network's file
    Column("about", JSON, nullable=False),  # label set and calibration too
)

# A row for each face of each frame; a frame without a face is a row with nothing from `face` on.
face_rows = Table(
    "face_rows",
    tables,
    _of_session(),
    Column("number", Integer, nullable=False),  # of the row in its session, from 0
    Column("frame", Integer, nullable=False),
    Column("time_s", Double, nullable=False),
    Column("utc_ms", BigInteger, nullable=False),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("face", Integer),  # the same number, from 1, for the same face
    *[Column(name, Float) for name in ("left", "top", "right", "bottom")],  # px
    *[Column(name, Float) for name in ("face_size_px", "sharpness", "brightness", "detector_score")],
    Column("problems", String(100)),  # why its scores should not be used; empty if it is valid, null if not measured
    Column("expression", SmallInteger),  # column of the best score
    Column("uncertain", Boolean),
    Column("scores", LargeBinary),  # smoothed
    Column("unsmoothed", LargeBinary),
    Column("corrected", LargeBinary),  # null without a neutral baseline
    PrimaryKeyConstraint("session_id", "number"),
    sqlite_with_rowid=False,
)

# What changed while a session was recorded: settings, model, neutral baselines, gaps. A coder's ratings of one
# expression over time are kept here too, as one event of this kind.
RATINGS = "ratings"
SIZE = "size"  # frames are of another width and height than before, those of the first are the video's
events = Table(
    "events",
    tables,
    Column("id", Integer, primary_key=True),
    _of_session(),
    Column("time_s", Double, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("content", JSON, nullable=False),
    Index("ix_events_session", "session_id"),
)

# Points and ranges: markers, ranges that summaries leave out, and what human coders saw.
markers = Table(
    "markers",
    tables,
    Column("id", String(32), primary_key=True),
    _of_session(),
    Column("time_s", Double, nullable=False),
    Column("end_s", Double),  # null for a point
    Column("label", String(200), nullable=False),
    Column("kind", String(20), nullable=False),  # marker, excluded or code
    Column("source", String(200), nullable=False),  # key, button, page, the list's name or the coder's
    Index("ix_markers_session", "session_id"),
)

# Answers to a consent text, also of those who declined and have no session.
consents = Table(
    "consents",
    tables,
    Column("id", Integer, primary_key=True),
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE")),
    Column("study", String(200), nullable=False),
    Column("participant", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("picture", Boolean),  # whether the camera's picture may be kept; null where that was not asked
    Column("answered_ms", BigInteger, nullable=False),
)

# The pictures of sessions, each a file in a folder beside the database. Whatever deletes a session leaves the row
# without one, until the file is deleted too.
videos = Table(
    "videos",
    tables,
    Column("id", Integer, primary_key=True),
    Column("session_id", ForeignKey("sessions.id", ondelete="SET NULL"), unique=True),
    Column("file", String(100), nullable=False, unique=True),  # its name, drawn by lot
    Column("format", String(100), nullable=False),  # its media type
    Column("width", Integer),  # px; null before the first picture, like the next four
    Column("height", Integer),
    Column("start_s", Double),  # time of its first picture in the session
    Column("length_s", Double),
    Column("frames", Integer),
    Column("dropped", Integer),  # frames of the camera that are not in it
    Column("bytes", BigInteger),  # null until it is finished
    Column("sha256", String(64)),  # the same
    Column("problem", Text, nullable=False),  # why it ended before the session; empty if it did not
)

# Neutral baselines that were set afterwards: a face's corrected scores follow from them, its rows stay as they are.
later_baselines = Table(
    "later_baselines",
    tables,
    _of_session(),
    Column("face", Integer, nullable=False),
    Column("model_id", ForeignKey("models.id"), nullable=False),  # whose scores it was made of, and corrects
    Column("first_s", Double, nullable=False),
    Column("last_s", Double, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("logits", JSON, nullable=False),  # in the order of `sessions.labels`
    Column("set_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("session_id", "face"),
)

# A participant's neutral baseline, kept for the sessions to come.
kept_baselines = Table(
    "kept_baselines",
    tables,
    Column("study", String(200), nullable=False),
    Column("participant", String(200), nullable=False),
    Column("model", JSON, nullable=False),  # as `models.about`
    Column("labels", JSON, nullable=False),
    Column("logits", JSON, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("first_s", Double, nullable=False),
    Column("last_s", Double, nullable=False),
    Column("origin", String(100), nullable=False),  # name of the session it was made in
    Column("kept_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("study", "participant"),
)
