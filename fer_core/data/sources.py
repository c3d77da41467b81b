"""The way in for every form of the data set: look what is there, read the best of it, say what was done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from fer_core.data.archive_reader import Entry, entries, unreadable_archive
from fer_core.data.class_folders import CLASSES_FILE
from fer_core.data.csv_reader import TableKind, read_table, table_kind, wrong_columns
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.image_tree import TreeReader, is_image
from fer_core.data.store import write_store
from fer_core.data.votes import Votes, join_votes, parse_votes
from fer_core.emotions import LABELS
from fer_core.errors import DataError

Progress = Callable[[int, int], None]

# Somebody's whole home folder was named by mistake: say so instead of reading all of it.
_OTHERS_AT_MOST = 5000


def import_source(
    source: Path, name: str, root: Path | None = None, progress: Progress | None = None, classes: str = "auto"
) -> FaceSet:
    """Read `source`, keep it as the store `name` and open that.

    Args:
        source: as for `read_source`.
        name: of the store; one of that name is replaced.
        root: folder of all stores, by default the user's own.
        progress: called with the bytes of the source read so far and in all.
        classes: as for `read_source`.

    Raises:
        DataError: the source is wrong or the store cannot be written. An older store is then untouched.
    """
    return write_store(read_source(source, progress, classes), name, root)


def read_source(source: Path, progress: Progress | None = None, classes: str = "auto") -> FaceSet:
    """Read a data set in any of its forms into memory.

    A table with Usage is preferred to images, and images to a table without Usage. FER+ votes that
    lie beside a table are joined to it row by row.

    Args:
        source: a table (fer2013.csv, icml_face_data.csv, train.csv), a folder tree of images, or a
            folder or archive that holds them. Recognised by content, not by name.
        progress: called with the bytes of the source read so far and in all.
        classes: what folders of images that name no emotion are, one of `CLASS_CHOICES`.

    Raises:
        DataError: what is there is broken, too large, or no data set; the message names row or file.
    """
    finds = _SourceScan(source.name or str(source), classes)
    try:
        for entry in entries(source):
            finds.take(entry, progress)
            if progress:
                progress(entry.position(), entry.total)
        faces = finds.face_set()
    finally:
        finds.images.close()
    return _with_notes(faces, *_empty_classes(faces))


class _SourceScan:
    """What was found in a source so far."""

    def __init__(self, source: str, classes: str) -> None:
        self._source = source
        self._unreadable_archives: list[str] = []
        self._tables: dict[TableKind, FaceSet] = {}
        self._ignored: list[str] = []
        self._unlabelled: list[str] = []
        self._others: list[tuple[str, bytes]] = []
        self._votes: tuple[str, Votes] | None = None
        self._unreadable_votes: list[str] = []
        self.images = TreeReader(classes)

    def take(self, entry: Entry, progress: Progress | None) -> None:
        head = entry.head()
        if is_image(entry.name, head):
            self.images.add(entry.name, entry.stream)
            return
        if PurePosixPath(entry.name).name == CLASSES_FILE:
            self.images.list_classes(head)
            return
        if unreadable_archive(head):
            self._unreadable_archives.append(entry.name)
            return
        kind = table_kind(head)
        if kind is TableKind.VOTES:
            try:
                self._votes = entry.name, parse_votes(entry.stream, entry.name)
            except DataError as error:  # the faces are good without
                self._unreadable_votes.append(f"The FER+ votes of {entry.name} were not joined. {error}")
        elif kind is TableKind.UNLABELLED_FACES:
            self._unlabelled.append(entry.name)
        elif kind is TableKind.OTHER:
            self._others.append((entry.name, head[:1000]))
            if len(self._others) > _OTHERS_AT_MOST and not self._tables and not len(self.images):
                raise self._nothing()
        elif kind in self._tables or TableKind.FACES in self._tables:
            self._ignored.append(entry.name)
        else:
            report = progress and (lambda _: progress(entry.position(), entry.total))
            self._tables[kind] = read_table(entry.stream, entry.name, report)

    def face_set(self) -> FaceSet:
        """Return the best of what was found.

        Raises:
            DataError: nothing can be used; the message says what it is instead.
        """
        if faces := self._tables.get(TableKind.FACES):
            return self._join(_with_notes(faces, *self._ignored_notes(images=len(self.images))))
        if len(self.images):
            return _with_notes(self.images.face_set(self._source), *self._ignored_notes(images=0))
        if faces := self._tables.get(TableKind.TRAINING_FACES):
            note = f"{faces.source.name} has no Usage column: all {len(faces):,} images are Training."
            return _with_notes(faces, note, *self._ignored_notes(images=0))
        raise self._nothing()

    def _join(self, faces: FaceSet) -> FaceSet:
        if self._votes is None:
            return faces
        name, votes = self._votes
        try:
            return _with_notes(join_votes(faces, votes), f"The FER+ votes of {name} were joined row by row.")
        except DataError as error:
            return _with_notes(faces, f"The FER+ votes of {name} were not joined. {error}")

    def _ignored_notes(self, images: int) -> list[str]:
        best = self._tables.get(TableKind.FACES)
        names = self._ignored + [table.source.name for table in self._tables.values() if table is not best]
        notes = [f"{', '.join(names)} was not used: a better form of the data set lies beside it."] if names else []
        if images:
            notes.append(f"{images:,} image files beside the table were not used.")
        if self._unlabelled:
            notes.append(f"{', '.join(self._unlabelled)} was not used: its faces have no labels.")
        if self._votes and not best:
            notes.append(f"{self._votes[0]} was not used: votes belong to the rows of the whole table fer2013.csv.")
        if self._unreadable_archives:
            notes.append(
                f"{', '.join(self._unreadable_archives)} was not read: archives of this kind must be unpacked first."
            )
        return notes + self._unreadable_votes

    def _nothing(self) -> DataError:
        if self._unreadable_archives:
            return DataError(
                f"{self._unreadable_archives[0]} is a 7z or RAR archive, which this program does not read. Unpack it "
                "and choose the folder, or pack it as .zip or .tar.gz."
            )
        if self._unlabelled:
            return DataError(
                f"{self._unlabelled[0]} has pixels but no emotion column: these are the competition's test images "
                "without their labels. The labels are in the same competition's icml_face_data.csv (or fer2013.csv), "
                "in the rows whose Usage is PublicTest or PrivateTest. Choose that file."
            )
        if self._unreadable_votes:
            return DataError(f"{self._source} holds no faces. {' '.join(self._unreadable_votes)}")
        if self._votes:
            return DataError(
                f"{self._votes[0]} holds FER+ votes but no faces. Choose a folder that also holds "
                "fer2013.csv, or add the votes to a data set that was read in."
            )
        if len(self._others) == 1:
            return wrong_columns(*self._others[0])
        return DataError(
            f"{self._source} holds no faces in the {len(self._others):,} files looked at. Expected "
            f"fer2013.csv, or images in train and test in folders named {', '.join(LABELS)} or after your own classes."
        )


def _with_notes(faces: FaceSet, *notes: str) -> FaceSet:
    source = dataclasses.replace(faces.source, notes=faces.source.notes + notes)
    return dataclasses.replace(faces, source=source)


def _empty_classes(faces: FaceSet) -> list[str]:
    """Say which classes have no image in a split that has others."""
    return [
        f"{split} has no image of {', '.join(empty)}."
        for split in faces.splits
        if (
            empty := [
                label
                for k, label in enumerate(faces.class_names)
                if not np.any((faces.labels == k) & (faces.split == SPLITS.index(split)))
            ]
        )
    ]
