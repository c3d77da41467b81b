"""Tags on the faces of a data set, and subsets that were saved under a name.

Both live in one log of changes, oldest first, as corrections do: the state is what the log makes of nothing, and
undoing is dropping the last change. So renaming a tag renames it in the saved queries too, and one Undo takes all of
that back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from fer_core.audit.search import Query
from fer_core.errors import DataError

LONGEST_NAME = 40
TAG, UNTAG, RENAME_TAG, DELETE_TAG = "tag", "untag", "rename-tag", "delete-tag"
SAVE_SUBSET, RENAME_SUBSET, DELETE_SUBSET = "save-subset", "rename-subset", "delete-subset"
ACTIONS: tuple[str, ...] = (TAG, UNTAG, RENAME_TAG, DELETE_TAG, SAVE_SUBSET, RENAME_SUBSET, DELETE_SUBSET)


@dataclass(frozen=True)
class Subset:
    """Faces under a name: those that a query finds, or a fixed list.

    Attributes:
        name: of the subset.
        query: that finds them; None for a fixed list.
        rows: the fixed list, ascending; empty for a query.
        outputs: name of the model outputs that the query was saved with, as `outputs_name` returns it; may be empty.
        model: name of that model; may be empty.
    """

    name: str
    query: Query | None = None
    rows: tuple[int, ...] = ()
    outputs: str = ""
    model: str = ""


@dataclass(frozen=True)
class Change:
    """One change to tags or subsets.

    Attributes:
        action: one of `ACTIONS`.
        name: of the tag or subset.
        rows: that are tagged or untagged.
        new_name: of what is renamed.
        subset: that is saved.
        time: when it was made, ISO 8601 in UTC.
    """

    action: str
    name: str
    rows: tuple[int, ...] = ()
    new_name: str = ""
    subset: Subset | None = None
    time: str = ""


@dataclass(frozen=True)
class Selections:
    """The tags and subsets of one data set; each method returns a new value.

    Attributes:
        data: hash of the data set, as `FaceSet.hash`.
        n: number of its rows.
        log: the changes in the order they were made.
    """

    data: str
    n: int
    log: tuple[Change, ...] = ()

    @cached_property
    def tags(self) -> Mapping[str, np.ndarray]:
        """The rows of each tag, int64 (m,) and ascending, by its name; a tag without faces is absent."""
        tags, _ = self._state
        return {name: np.array(sorted(tags[name]), np.int64) for name in sorted(tags, key=str.casefold) if tags[name]}

    @cached_property
    def subsets(self) -> Mapping[str, Subset]:
        """The subsets by name."""
        _, subsets = self._state
        return {name: subsets[name] for name in sorted(subsets, key=str.casefold)}

    def tags_of(self, row: int) -> tuple[str, ...]:
        """Return the tags of one face."""
        return tuple(name for name, rows in self.tags.items() if row in rows)

    def tag(self, rows: Iterable[int], name: str, when: datetime) -> Selections:
        """Return the selections with `rows` tagged.

        Raises:
            DataError: a row is not in the data set, or the name cannot be used.
        """
        return self._with(Change(TAG, checked_name(name), self._checked(rows)), when)

    def untag(self, rows: Iterable[int], name: str, when: datetime) -> Selections:
        """Return the selections with the tag `name` taken off `rows`."""
        return self._with(Change(UNTAG, name, self._checked(rows)), when)

    def rename_tag(self, name: str, new_name: str, when: datetime) -> Selections:
        """Return the selections with a tag renamed, in saved queries too.

        Raises:
            DataError: there is no such tag, or one of the new name, or the new name cannot be used.
        """
        new_name = checked_name(new_name)
        _require(name, self.tags, "tag")
        _require_free(new_name, self.tags, "tag")
        return self._with(Change(RENAME_TAG, name, new_name=new_name), when)

    def delete_tag(self, name: str, when: datetime) -> Selections:
        """Return the selections without a tag.

        Raises:
            DataError: there is no such tag, or a saved query asks for it.
        """
        _require(name, self.tags, "tag")
        if users := [subset.name for subset in self.subsets.values() if subset.query and name in subset.query.tags]:
            raise DataError(f"The tag {name} is used by the subset {', '.join(users)}. Delete the subset first.")
        return self._with(Change(DELETE_TAG, name), when)

    def save_query(self, name: str, query: Query, when: datetime, *, outputs: str = "", model: str = "") -> Selections:
        """Return the selections with a subset of those faces that a query finds, whenever it is asked.

        Args:
            name: of the subset; one of that name is refused.
            query: that finds the faces.
            when: now.
            outputs: name of the model outputs that are known now; empty if none are.
            model: name of that model.

        Raises:
            DataError: the name is taken or cannot be used, or the query needs a model's outputs and none are named.
        """
        if query.needs_scores and not outputs:
            raise DataError("A query for a model's predictions needs a model. Ask the model first.")
        return self._save(Subset(checked_name(name), query, outputs=outputs, model=model), when)

    def save_rows(self, name: str, rows: Iterable[int], when: datetime) -> Selections:
        """Return the selections with a subset of exactly these faces.

        Raises:
            DataError: the name is taken or cannot be used, there is no row, or one is not in the data set.
        """
        rows = self._checked(rows)
        if not rows:
            raise DataError("A fixed list needs at least one face. Choose some faces first.")
        return self._save(Subset(checked_name(name), rows=rows), when)

    def rename_subset(self, name: str, new_name: str, when: datetime) -> Selections:
        """Return the selections with a subset renamed.

        Raises:
            DataError: there is no such subset, or one of the new name, or the new name cannot be used.
        """
        new_name = checked_name(new_name)
        _require(name, self.subsets, "subset")
        _require_free(new_name, self.subsets, "subset")
        return self._with(Change(RENAME_SUBSET, name, new_name=new_name), when)

    def delete_subset(self, name: str, when: datetime) -> Selections:
        """Return the selections without a subset.

        Raises:
            DataError: there is no such subset.
        """
        _require(name, self.subsets, "subset")
        return self._with(Change(DELETE_SUBSET, name), when)

    def undo(self) -> Selections:
        """Return the selections without the last change."""
        return replace(self, log=self.log[:-1])

    def to_json(self) -> str:
        """Return the log as JSON that `from_json` reads."""
        changes = [_change_to_dict(change) for change in self.log]
        return json.dumps({"data": self.data, "rows": self.n, "log": changes}, ensure_ascii=False)

    @cached_property
    def _state(self) -> tuple[dict[str, set[int]], dict[str, Subset]]:
        tags: dict[str, set[int]] = {}
        subsets: dict[str, Subset] = {}
        for change in self.log:
            _apply(change, tags, subsets)
        return tags, subsets

    def _save(self, subset: Subset, when: datetime) -> Selections:
        _require_free(subset.name, self.subsets, "subset")
        return self._with(Change(SAVE_SUBSET, subset.name, subset=subset), when)

    def _with(self, change: Change, when: datetime) -> Selections:
        time = when.astimezone(UTC).isoformat(timespec="seconds")
        return replace(self, log=(*self.log, replace(change, time=time)))

    def _checked(self, rows: Iterable[int]) -> tuple[int, ...]:
        rows = tuple(sorted({int(row) for row in rows}))
        if rows and not 0 <= rows[0] <= rows[-1] < self.n:
            raise DataError(f"Expected rows from 0 to {self.n - 1}; got {rows[0]} to {rows[-1]}.")
        return rows


def from_json(text: str, data: str, n: int, name: str) -> Selections:
    """Read the log that `to_json` wrote.

    Args:
        text: the file's content.
        data: hash of the data set that it must be about.
        n: number of its rows.
        name: stands for the file in messages.

    Raises:
        DataError: it is no such log, or about another data set.
    """
    try:
        content = json.loads(text)
        if (content["data"], content["rows"]) != (data, n):
            raise DataError(f"{name} is about another data set. Choose the data set that it was made for.")
        log = tuple(_change_from_dict(change, n) for change in content["log"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{name} is damaged ({type(error).__name__}: {error}). Delete it to start anew.") from error
    return Selections(data, n, log)


def checked_name(name: str) -> str:
    """Return a name for a tag or a subset without spaces around it.

    Raises:
        DataError: it is empty, too long, or has characters that an address or a command line could not carry.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or set(name) & set("/\\,"):
        raise DataError(
            f"Expected a name of 1 to {LONGEST_NAME} characters without slash, backslash and comma; got {name[:60]!r}."
        )
    return name


def _apply(change: Change, tags: dict[str, set[int]], subsets: dict[str, Subset]) -> None:
    """Make a change to the state."""
    name = change.name
    if change.action == TAG:
        tags.setdefault(name, set()).update(change.rows)
    elif change.action == UNTAG:
        tags.get(name, set()).difference_update(change.rows)
    elif change.action == RENAME_TAG:
        tags.setdefault(change.new_name, set()).update(tags.pop(name, set()))
        subsets.update({key: _with_tag_renamed(subset, name, change.new_name) for key, subset in subsets.items()})
    elif change.action == DELETE_TAG:
        tags.pop(name, None)
    elif change.action == SAVE_SUBSET and change.subset is not None:
        subsets[name] = change.subset
    elif change.action == RENAME_SUBSET and name in subsets:
        subsets[change.new_name] = replace(subsets.pop(name), name=change.new_name)
    elif change.action == DELETE_SUBSET:
        subsets.pop(name, None)


def _with_tag_renamed(subset: Subset, name: str, new_name: str) -> Subset:
    if subset.query is None:
        return subset
    tags = tuple(new_name if tag == name else tag for tag in subset.query.tags)
    return replace(subset, query=replace(subset.query, tags=tags))


def _require(name: str, known: Mapping[str, Any], kind: str) -> None:
    if name not in known:
        raise DataError(f"There is no {kind} named {name!r}. Expected one of: {', '.join(known) or 'none yet'}.")


def _require_free(name: str, known: Mapping[str, Any], kind: str) -> None:
    if name in known:
        raise DataError(f"There is already a {kind} named {name}. Choose another name, or delete that one first.")


def _change_to_dict(change: Change) -> dict[str, Any]:
    content = {key: value for key, value in asdict(replace(change, subset=None)).items() if value}
    if change.subset is not None:
        query = change.subset.query
        plain = asdict(replace(change.subset, query=None))
        subset = {key: value for key, value in plain.items() if value}
        content["subset"] = subset if query is None else {**subset, "query": query.to_dict()}
    return content


def _change_from_dict(content: Mapping[str, Any], n: int) -> Change:
    values = {**content, "rows": _rows(content, n)}
    if values["action"] not in ACTIONS:
        raise ValueError(f"the action {str(values['action'])[:40]!r} is unknown")
    if (subset := content.get("subset")) is not None:
        query = Query.from_dict(subset["query"]) if "query" in subset else None
        values["subset"] = Subset(**{**subset, "rows": _rows(subset, n), "query": query})
    elif values["action"] == SAVE_SUBSET:
        raise ValueError("a saved subset is missing")
    change = Change(**values)
    for text in (change.action, change.name, change.new_name, change.time, *_texts(change.subset)):
        if not isinstance(text, str):
            raise ValueError(f"expected text, found {str(text)[:40]!r}")
    return change


def _texts(subset: Subset | None) -> tuple[str, ...]:
    return () if subset is None else (subset.name, subset.outputs, subset.model)


def _rows(content: Mapping[str, Any], n: int) -> tuple[int, ...]:
    rows = tuple(content.get("rows", ()))
    if any(type(row) is not int or not 0 <= row < n for row in rows):
        raise ValueError(f"expected rows from 0 to {n - 1}")
    return rows
