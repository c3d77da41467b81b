"""Which classes a tree of images has, by the names of its folders: the seven emotions, or the user's own.

Importable without NumPy: the command line's help lists the choices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fer_core.data.class_names import MAX_CLASSES, class_name, name_problem
from fer_core.emotions import LABELS, canonical
from fer_core.errors import DataError

# "auto": the seven emotions, or the folders' own names if at most half of them are emotions; "own": the folders' names
# in alphabetical order; "skip-unknown": the seven emotions, without the images in other folders.
CLASS_CHOICES: tuple[str, ...] = ("auto", "own", "skip-unknown")
# A file of this name in a tree lists its classes, one a line, in their order.
CLASSES_FILE = "classes.txt"
_MAX_FILE_BYTES = 1 << 14


@dataclass(frozen=True)
class ClassFolders:
    """The classes of a tree.

    Attributes:
        class_names: in their order.
        label_of: the label of each folder, by `folder_key`; the images in other folders are left out.
    """

    class_names: tuple[str, ...]
    label_of: Mapping[str, int]


def folder_key(folder: str) -> str:
    """Return the same text for all folders of one class.

    >>> folder_key("Happiness"), folder_key("Calm ")
    ('happy', 'calm')
    """
    return canonical(folder) or folder.strip().casefold()


def choose_classes(
    images: Mapping[str, int], choice: str = "auto", listed: Sequence[str] = (), source: str = "The folder"
) -> ClassFolders:
    """Decide which classes the folders of a tree stand for.

    Args:
        images: the number of images in each folder, by its name.
        choice: one of `CLASS_CHOICES`.
        listed: the names in the tree's own `CLASSES_FILE`; with "auto" they count if they name all folders.
        source: name of the tree, for messages.

    Raises:
        DataError: most folders are emotions but some are not, there are too many other folders, or fewer than two.
    """
    keys = {folder_key(name) for name in images}
    if choice == "auto" and listed and keys <= {folder_key(name) for name in listed}:
        return _numbered(tuple(listed))
    known = {key for key in keys if key in LABELS}
    unknown = keys - known
    if choice == "skip-unknown" or (choice == "auto" and not unknown):
        if not known:
            raise _no_emotion(source, images)
        return _numbered(LABELS)
    if choice == "auto" and len(known) > len(unknown):
        raise _mixed(source, images)
    if len(keys) < 2:
        raise _no_emotion(source, images)
    if len(keys) > MAX_CLASSES:
        raise DataError(
            f"{source}: expected at most {MAX_CLASSES} folders of images, one for each class; found {len(keys)} or "
            f"more: {_counted(images)}. Choose the folder that holds the classes' folders."
        )
    return _own_classes(images)


def parse_classes(content: bytes) -> tuple[str, ...]:
    """Return the names in a `CLASSES_FILE`, of its first bytes; none if it does not list classes."""
    try:
        lines = content[:_MAX_FILE_BYTES].decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return ()
    names = [line.strip() for line in lines if line.strip()]
    names = [canonical(name) or name for name in names]
    is_list = not name_problem(tuple(names)) and len(set(map(folder_key, names))) == len(names)
    return tuple(names) if is_list else ()


def _numbered(names: tuple[str, ...]) -> ClassFolders:
    if sorted(names) == sorted(LABELS):
        names = LABELS
    return ClassFolders(names, {folder_key(name): label for label, name in enumerate(names)})


def _own_classes(images: Mapping[str, int]) -> ClassFolders:
    """Return the folders as classes in alphabetical order; of several spellings of one name the first counts."""
    names: dict[str, str] = {}
    for folder in sorted(images):
        names.setdefault(folder_key(folder), canonical(folder) or class_name(folder))
    if len(set(names.values())) < len(names):
        raise DataError(
            "Two folders differ only in signs that the name of a class cannot have; expected letters, digits, spaces "
            f"and . + ( ) _ -. Rename one of {', '.join(sorted(images))}."
        )
    keys = sorted(names, key=lambda key: names[key].casefold())
    return ClassFolders(tuple(names[key] for key in keys), {key: label for label, key in enumerate(keys)})


def unknown_folders(images: Mapping[str, int]) -> dict[str, int]:
    """Return the folders that name no emotion, with their number of images."""
    return {name: count for name, count in images.items() if canonical(name) is None}


def _mixed(source: str, images: Mapping[str, int]) -> DataError:
    return DataError(
        f"{source}: expected images in folders named {', '.join(LABELS)} (or angry, disgust, fear …); these folders "
        f"are named otherwise: {_counted(unknown_folders(images))}. Choose under Classes (as a command: --classes) "
        "whether to skip them (skip-unknown) or to take every folder as a class of its own (own); or rename them."
    )


def _no_emotion(source: str, images: Mapping[str, int]) -> DataError:
    return DataError(
        f"{source}: expected images in folders named {', '.join(LABELS)} (or angry, disgust, fear …), or two or more "
        f"folders named after classes of your own; these are named otherwise: {_counted(images)}. Make one folder for "
        "each class."
    )


def _counted(images: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in Counter(images).most_common(5))
