"""Rows that belong together, as groups or as pairs, and the questions that are asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array


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

    @cached_property
    def first_rows(self) -> np.ndarray:
        """int64 (n,), the first row of each row's group; the row itself if it is alone."""
        first = np.arange(len(self.id))
        rows = np.flatnonzero(self.grouped)
        _, leads = np.unique(self.id[rows], return_index=True)
        first[rows] = rows[leads][self.id[rows]]
        return first

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

    def partners(self, row: int) -> np.ndarray:
        """Return the rows that are paired with `row`, int64 (m,) and ascending."""
        return np.sort(np.concatenate([self.second[self.first == row], self.first[self.second == row]]))

    def groups(self, exact: Groups) -> Groups:
        """Return groups in which every row is paired with every other; identical rows count as one.

        Being alike does not chain: if a is like b and b like c, but a is not like c, they are two groups or
        one row is alone. The row with most pairs comes first and takes those most like it.

        Args:
            exact: the identical rows; they always stay together.
        """
        lead = exact.first_rows
        keys = lead.copy()
        neighbours = self._neighbours(lead)
        degree, closeness = (np.asarray(neighbours.astype(kind).sum(axis=1)).ravel() for kind in (bool, float))
        taken = np.zeros(self.n, bool)
        for row in np.lexsort((-closeness, -degree)):
            if degree[row] == 0:
                break
            if not taken[row]:
                members = _clique(neighbours, int(row), taken)
                taken[members] = True
                keys[members] = row
        return Groups.of_keys(keys[lead])

    def _neighbours(self, lead: np.ndarray) -> csr_array:
        """Return the pairs as a symmetric sparse matrix (n, n) of scores between the `lead` rows, int (n,)."""
        first, second = lead[self.first], lead[self.second]
        low, high = np.minimum(first, second)[first != second], np.maximum(first, second)[first != second]
        _, once = np.unique(low * self.n + high, return_index=True)
        score = self.score[first != second][once]
        half = coo_array((score, (low[once], high[once])), shape=(self.n, self.n)).tocsr()
        return csr_array(half + half.T)

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


def _clique(neighbours: csr_array, row: int, taken: np.ndarray) -> list[int]:
    """Return `row` and rows not yet `taken`, bool (n,), that are all neighbours of each other, the closest first."""
    start, end = neighbours.indptr[row : row + 2]
    candidates = neighbours.indices[start:end]
    candidates = candidates[np.lexsort((candidates, -neighbours.data[start:end]))]
    candidates = candidates[~taken[candidates]]
    members = [row]
    while len(candidates):
        closest = int(candidates[0])
        members.append(closest)
        start, end = neighbours.indptr[closest : closest + 2]
        candidates = candidates[np.isin(candidates, neighbours.indices[start:end])]
    return members
