"""One data set as the page sees it: opened once per server, with all that is worth computing once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fer_core.audit.findings import Findings
from fer_core.audit.first_look import first_look
from fer_core.audit.summary import Summary
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.store import StoreInfo, open_store
from fer_core.emotions import canonical

_STYLE = Path(__file__).parent / "faces.css"


def faces_style() -> None:
    """Add the styles of pages that show the faces of a data set."""
    st.html(_STYLE)


@dataclass(frozen=True, eq=False)
class DataView:
    """An open data set.

    Attributes:
        info: what its store says.
        faces: the faces, memory-mapped.
        summary: what is known of all.
        findings: what is known of each, as far as it was looked for.
    """

    info: StoreInfo
    faces: FaceSet
    summary: Summary
    findings: Findings

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its labels."""
        return self.faces.class_names

    def title(self, row: int) -> str:
        """Say what a face is, as its alternative text."""
        kind = "Drawn face" if self.info.source.synthetic else "Face"
        return f"{kind} in row {row:,}, labelled {self.label(row)}, {self.split(row)}"

    def label(self, row: int) -> str:
        """Return the name of a face's label."""
        return self.class_names[self.faces.labels[row]]

    def split(self, row: int) -> str:
        """Return the name of a face's split."""
        return SPLITS[self.faces.split[row]]


def open_view(info: StoreInfo) -> DataView:
    """Open a data set, or return it as it was opened before.

    Raises:
        DataError: its store is damaged or was altered.
    """
    return _open(info.name, info.hash, info.created, info.votes, _info=info)


def shown_name(info: StoreInfo) -> str:
    """Return what a data set is called on the page: drawn faces are never without that word."""
    return f"{info.name} (drawn)" if info.source.synthetic else info.name


def seen_word(column: str) -> str:
    """Return what a column of the votes is called on the page.

    >>> seen_word("happiness"), seen_word("NF")
    ('happy', 'no face')
    """
    return canonical(column) or {"unknown": "unclear", "NF": "no face"}.get(column, column)


def default_store(infos: Sequence[StoreInfo]) -> int:
    """Return which data set to show first: the largest of those that are whole and not drawn."""
    return max(range(len(infos)), key=lambda i: (not infos[i].problem, not infos[i].source.synthetic, infos[i].rows))


# What names the content is the key; the arrays themselves are never hashed. Votes are no part of the content's hash.
@st.cache_resource(max_entries=4, show_spinner="Opening the data set…")
def _open(name: str, content: str, created: str, votes: bool, _info: StoreInfo) -> DataView:
    faces = open_store(name)
    look = first_look(faces)
    return DataView(_info, faces, look.summary, look.findings)
