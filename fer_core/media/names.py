"""Names that people give the faces of a file. Faces of one name are one: a person who was lost and found again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import pandas as pd

NAME = "name"

# By name of a file and number of a face.
Names = Mapping[str, Mapping[int, str]]


def name_faces(content: bytes, names: Names) -> bytes:
    """Return a CSV table with a column `name` after `face`, whose numbers stay as they are.

    Args:
        content: what a `Table` wrote.
        names: of faces; the others' cells are empty. Without any, the table is returned as it is.
    """
    if not any(names.values()):
        return content
    rows = csv.reader(io.StringIO(content.decode("utf-8")))
    head = next(rows)
    file_at, face_at = head.index("file"), head.index("face")
    named = io.StringIO()
    writer = csv.writer(named, lineterminator="\n")
    writer.writerow([*head[: face_at + 1], NAME, *head[face_at + 1 :]])
    for row in rows:
        name = names.get(row[file_at], {}).get(int(row[face_at]), "") if row[face_at] else ""
        writer.writerow([*row[: face_at + 1], name, *row[face_at + 1 :]])
    return named.getvalue().encode("utf-8")


def face_names(rows: pd.DataFrame) -> dict[int, str]:
    """Return what each face of a file's rows is called: by its name, else by its number."""
    faces = rows.dropna(subset="face").drop_duplicates("face")
    names = faces[NAME] if NAME in faces else pd.Series(None, faces.index, object)
    return {
        int(face): f"Face {face}" if pd.isna(name) else str(name)
        for face, name in zip(faces["face"], names, strict=True)
    }


def merge_faces(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a file's rows with the faces of one name as one, under the lowest of their numbers."""
    if NAME not in rows:
        return rows
    lowest = rows.groupby(NAME)["face"].transform("min")
    return rows.assign(face=lowest.fillna(rows["face"]).astype("Int64"))
