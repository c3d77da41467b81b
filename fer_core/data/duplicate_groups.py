"""Rows that belong together, as groups or as pairs, and the questions that are asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True, eq=False)
class Groups:
    """A partition of n rows into groups of two or more, and rows that are alone.

    Attributes:
        id: int64 (n,), number of each row's group, counted from 0 by the groups' first rows; -1 for
            a row that is alone.
    """

    id: np.ndarray

    @classmethod
    def of_keys(cls, keys: np.ndarray) -> Groups:
        """Group the rows whose `keys`, an integer array (n,), are equal."""
        _, first, inverse, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        number = np.full(len(count), -1)
        several = np.flatnonzero(count > 1)
        number[several[np.argsort(first[several])]] = np.arange(len(several))
        return cls(number[inverse].astype(np.int64))

    def __len__(self) -> int:
        """The number of groups."""
        return len(self.sizes)

    @cached_property
    def sizes(self) -> np.ndarray:
        """int64 (groups,), the number of rows in each group."""
        return np.bincount(self.id[self.id >= 0])

    @property
    def grouped(self) -> np.ndarray:
        """bool (n,), the rows that belong to a group."""
        return self.id >= 0

    @cached_property
    def surplus(self) -> np.ndarray:
        """int64 (m,) ascending, the rows of groups but for each group's first row."""
        rows = np.flatnonzero(self.grouped)
        _, first = np.unique(self.id[rows], return_index=True)
        return np.delete(rows, first)

    def rows(self, number: int) -> np.ndarray:
        """Return the rows of group `number`, int64 (m,) and ascending."""
        return np.flatnonzero(self.id == number)

    def with_row(self, row: int) -> np.ndarray:
        """Return all rows of the group that `row` belongs to, `row` among them."""
        return self.rows(self.id[row]) if self.id[row] >= 0 else np.array([row])

    def differing(self, values: np.ndarray) -> np.ndarray:
        """Return the numbers of the groups whose rows do not all have the same value.

        Args:
            values: int (n,), for example the labels.

        Returns:
            int64 (m,), ascending.
        """
        rows = np.flatnonzero(self.grouped)
        order = rows[np.lexsort((values[rows], self.id[rows]))]
        same_group = self.id[order][1:] == self.id[order][:-1]
        return np.unique(self.id[order][1:][same_group & (values[order][1:] != values[order][:-1])])

    def shared(self, of: np.ndarray, among: np.ndarray) -> np.ndarray:
        """Return the rows `of` these, bool (n,), that share a group with a row `among` those, bool (n,)."""
        return np.flatnonzero(of & self.grouped & np.isin(self.id, self.id[among & self.grouped]))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of rows out of n that are alike.

    Attributes:
        first: int64 (m,), the lower row of each pair; pairs are sorted by it, then by `second`.
        second: int64 (m,), the higher row.
        score: float64 (m,), how alike they are.
        n: number of rows they are taken from.
    """

    first: np.ndarray
    second: np.ndarray
    score: np.ndarray
    n: int

    def __len__(self) -> int:
        return len(self.first)

    def groups(self, also: Groups | None = None) -> Groups:
        """Return the groups of rows that chains of pairs connect; those in one group of `also` are connected too."""
        first, second = self.first, self.second
        if also is not None:
            rows = np.flatnonzero(also.grouped)
            _, lead = np.unique(also.id[rows], return_index=True)
            first = np.concatenate([first, rows[lead][also.id[rows]]])
            second = np.concatenate([second, rows])
        edges = coo_array((np.ones(len(first), bool), (first, second)), shape=(self.n, self.n))
        return Groups.of_keys(connected_components(edges, directed=False)[1])

    def shared(self, of: np.ndarray, among: np.ndarray) -> np.ndarray:
        """Return the rows `of` these, bool (n,), that are paired with a row `among` those, bool (n,)."""
        one = self.first[of[self.first] & among[self.second]]
        other = self.second[of[self.second] & among[self.first]]
        return np.union1d(one, other)


def leaked_rows(of: np.ndarray, among: np.ndarray, exact: Groups, near: Pairs | None = None) -> np.ndarray:
    """Return the rows of one part of a data set whose picture is also in another part.

    A test image that is also in the training images measures memory, not skill.

    Args:
        of: bool (n,), the rows in question, for example those of PrivateTest.
        among: bool (n,), the rows they should not be found in, for example those of Training.
        exact: the identical images.
        near: nearly identical images, to count a row that is directly paired with one `among` those.

    Returns:
        int64 (m,), ascending.
    """
    rows = exact.shared(of, among)
    return rows if near is None else np.union1d(rows, near.shared(of, among))
