"""What is in a data set, at a glance: counts, what people saw, mean faces."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.audit.findings import Findings
from fer_core.audit.search import OTHER, SUSPICIOUS
from fer_core.charts.dataset import class_counts, what_people_saw
from fer_core.charts.timeline import QUIET
from fer_core.data.votes import has_votes
from fer_core.emotions import LABELS
from fer_core.formats import count_text
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.pictures import captioned_faces

_COUNTS_HEIGHT_PX = 230
_SEEN_HEIGHT_PX = 300


def overview(view: DataView, findings: Findings) -> None:
    """Draw the overview of a data set."""
    _what_stands_out(view, findings)
    _counts(view)
    if view.summary.seen is not None:
        _seen(view, findings)
    _mean_faces(view)


def _what_stands_out(view: DataView, findings: Findings) -> None:
    sentences = "".join(f"<li>{sentence}</li>" for sentence in _sentences(view, findings))
    st.html(f'<ul class="fer-findings">{sentences}</ul>')


def _sentences(view: DataView, findings: Findings) -> list[str]:
    """Return what would surprise someone who knows the data set by name only, with <b> around the figures."""
    seen = view.summary.seen
    sentences = []
    if copies := len(findings.exact_duplicates.surplus):
        are = "face is an exact copy" if copies == 1 else "faces are exact copies"
        sentences.append(
            f"<b>{copies:,}</b> {are} of another; one picture is here "
            f"<b>{findings.exact_duplicates.sizes.max()} times</b>."
        )
    sentences += _most_often(findings)
    if conflicts := len(findings.exact_duplicates.differing(findings.labels)):
        groups = "group" if conflicts == 1 else "groups"
        sentences.append(f"In <b>{conflicts:,}</b> {groups} of copies the same picture has different labels.")
    if blank := int(findings.image_stats.nearly_blank.sum()):
        black = int(findings.image_stats.all_black.sum())
        sentences.append(
            f"<b>{blank:,}</b> {'image is' if blank == 1 else 'images are'} blank or nearly so"
            f"{f', <b>{black:,}</b> of them all black' if black else ''}, and each has a label."
        )
    if seen is not None:
        sentences += _seen_sentences(seen)
        suspicious = float(np.mean(findings.issue_score.score >= SUSPICIOUS))
        model = "" if findings.label_issues is None else ", the model"
        sentences.append(
            f"<b>{suspicious * 100:.0f} %</b> of all faces are suspicious: votes{model}, copies or an empty "
            "picture speak against the label."
        )
    return sentences or [
        "No copies and no blank images. That is what one expects of a set that was drawn."
        if view.info.source.synthetic
        else "No copies and no blank images."
    ]


def _most_often(findings: Findings) -> list[str]:
    """Say which picture is there most often in versions that differ, where near copies were looked for."""
    if not findings.near_duplicates:
        return []
    blank = np.unique(
        findings.duplicate_groups.id[findings.image_stats.nearly_blank & findings.duplicate_groups.grouped]
    )
    sizes = findings.duplicate_groups.sizes.copy()
    sizes[blank] = 0
    rows = findings.duplicate_groups.rows(int(sizes.argmax()))
    labels = len(np.unique(findings.labels[rows]))
    return [
        f"The largest group of near copies has <b>{len(rows)} images</b>, under <b>{labels}</b> "
        f"{'label' if labels == 1 else 'different labels'}."
    ]


def _seen_sentences(seen: np.ndarray) -> list[str]:
    totals = seen.sum(axis=1)
    own = np.diag(seen[:, : len(LABELS)]) / np.maximum(totals, 1)
    worst = int(np.where(totals > 0, own, 2).argmin())
    others = [k for k in range(len(LABELS)) if k != worst]
    instead = others[int(seen[worst, others].argmax())]
    share = seen[worst, instead] / max(1, totals[worst])
    return [
        f"Only <b>{own[worst] * 100:.0f} %</b> of the faces labelled {LABELS[worst]} were seen as that by more raters "
        f"than as anything else; <b>{share * 100:.0f} %</b> were seen as {LABELS[instead]}."
    ]


def _counts(view: DataView) -> None:
    st.subheader("How many faces each expression has")
    summary = view.summary
    widest = float((summary.counts / np.maximum(1, summary.counts.sum(axis=1, keepdims=True))).max())
    for column, split, counts in zip(
        st.columns(len(summary.splits), gap="medium"), summary.splits, summary.counts, strict=True
    ):
        with column:
            st.markdown(f"**{split}** · {count_text(int(counts.sum()), 'face')}")
            st.plotly_chart(
                class_counts(counts, LABELS, _COUNTS_HEIGHT_PX, widest),
                key=f"counts_{split}",
                config=QUIET,
                alt=f"Faces by expression in {split}",
            )


def _seen(view: DataView, findings: Findings) -> None:
    st.subheader("What people saw in them")
    st.caption(
        "For FER+ ten people looked at each face. Each bar is all faces of one label that were voted on: first the "
        "share in which that label got more votes than any other answer, then what got most instead. Beige is "
        f"{OTHER}: contempt, unclear, no face, or two answers with equally many votes."
        f"{_not_voted(findings)}"
    )
    st.plotly_chart(
        what_people_saw(view.summary.seen, LABELS, OTHER, _SEEN_HEIGHT_PX),
        key="seen",
        config=QUIET,
        alt="What people saw, by label",
    )


def _not_voted(findings: Findings) -> str:
    count = int(np.sum(~has_votes(findings.votes)))
    return f" {count:,} faces were not voted on and are left out." if count else ""


def _mean_faces(view: DataView) -> None:
    st.subheader("The mean face")
    st.caption(
        "The average of all faces of one expression in one split, pixel by pixel. It is rough where faces are few."
    )
    title = "Mean drawn face" if view.info.source.synthetic else "Mean face"
    for split, means in zip(view.summary.splits, view.summary.mean_faces, strict=True):
        there = [k for k in range(len(LABELS)) if np.isfinite(means[k]).all()]
        st.html(
            f'<p class="fer-note">{split}</p>'
            + captioned_faces([_stretched(means[k]) for k in there], [LABELS[k] for k in there], f"{title}, {split}")
        )


def _stretched(mean: np.ndarray) -> np.ndarray:
    """Return a mean face, float (48, 48), over the full range of grays: averages are flat."""
    low, high = float(mean.min()), float(mean.max())
    return np.round((mean - low) * (255 / max(1.0, high - low))).astype(np.uint8)
