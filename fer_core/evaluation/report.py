"""Everything that was measured of some models, as plain JSON values and as a page that needs no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from itertools import combinations
from typing import Any

import numpy as np

import fer_core
from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.evaluation.assessment import own_labels
from fer_core.evaluation.calibration import coverage, reliability
from fer_core.evaluation.compare import compare
from fer_core.evaluation.published import PUBLISHED
from fer_core.evaluation.report_svg import curves_svg, legend, reliability_svg, shade
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.evaluation.scoring import Scores
from fer_core.models.bundle import Bundle
from fer_core.models.card import temperature_of

_COVERAGE_POINTS = 50
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1.2rem; color: #1D2733;
  background: #FCFBF8; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 2.6rem; } h3 { margin-top: 1.6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.6rem 0; }
th, td { padding: 0.3rem 0.75rem; text-align: left; border-bottom: 1px solid #85858540; }
td.number { white-space: nowrap; }
table.confusion { border-collapse: separate; border-spacing: 2px; font-size: 0.9rem; }
table.confusion th, table.confusion td { border: 0; }
table.confusion td { text-align: center; border-radius: 4px; padding: 0.35rem 0.6rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1.2rem; } figure { margin: 0; width: 15.5rem; }
svg { width: 100%; overflow: visible; } svg text { font-size: 12px; fill: currentColor; }
svg .grid { stroke: currentColor; stroke-opacity: 0.18; }
.legend span { margin-right: 1.2rem; }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 50%; margin-right: 0.4em; }
.note { opacity: 0.78; font-size: 0.92rem; } code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { color: #E7EAEE; background: #12161C; } }
"""


@dataclass(frozen=True, eq=False)
class ReportedModel:
    """A model of a report.

    Attributes:
        name: it is called by.
        bundle: the model.
        scores: by split.
        figures: what `assess` returns for these scores.
        robustness: by split, what `score_robustness` returns; empty if it was not measured.
    """

    name: str
    bundle: Bundle
    scores: Mapping[str, Scores]
    figures: Mapping[str, Any]
    robustness: Mapping[str, Any]


def report_content(
    faces: FaceSet, data_name: str, split: str, models: Sequence[ReportedModel], made: datetime
) -> dict[str, Any]:
    """Gather everything that was measured.

    Args:
        faces: the data set; none of its faces gets into the report.
        data_name: it is called by.
        split: that the report puts first, on which every model was scored.
        models: at least one.
        made: when, with a time zone.

    Returns:
        `made`, `program`, `data`, `split`; `models`, for each all that `assess` returns and its `card`,
        `size_bytes`, `ms_per_face`, `reliability` and `coverage` by split, and `robustness`; `comparisons`
        of every two of them on the split; `published`. All of it plain JSON values.
    """
    labels = faces.labels[faces.rows_of(split)]
    return {
        "made": made.isoformat(timespec="seconds"),
        "program": f"fer_core {fer_core.__version__}",
        "data": {
            "name": data_name,
            "source": faces.source.name,
            "sha256": faces.hash,
            "synthetic": faces.source.synthetic,
            "images": faces.counts(),
        },
        "split": split,
        "models": [_model(faces, each) for each in models],
        "comparisons": [_comparison(a, b, split, labels) for a, b in combinations(models, 2)],
        "published": [asdict(each) for each in PUBLISHED],
    }


def html_report(content: Mapping[str, Any]) -> str:
    """Return what `report_content` gathered as a page: no scripts, nothing loaded, every word escaped."""
    data, split = content["data"], content["split"]
    title = f"{', '.join(each['model'] for each in content['models'])} on {data['name']}, {split}"
    images, total = sum(data["images"][split].values()), sum(sum(each.values()) for each in data["images"].values())
    drawn = (
        ""
        if not data["synthetic"]
        else (
            "<p><strong>These faces are drawings, not photographs.</strong> The figures say nothing about real "
            "faces.</p>"
        )
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{images:,} faces of {escape(split)}; data set of {total:,} faces, SHA-256 "
        f"<code>{escape(data['sha256'])}</code>. Made {escape(content['made'])} by {escape(content['program'])}.</p>",
        drawn,
        "<h2>Scores</h2>",
        _scores(content),
        *(_trained_on(each) for each in content["models"]),
        _published(content),
        *(_compared(each) for each in content["comparisons"]),
        *(_about(each, split) for each in content["models"]),
        _robustness(content),
        '<p class="note">It names expressions, not what a person feels. A figure holds for faces like those it was '
        "measured on.</p>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _model(faces: FaceSet, model: ReportedModel) -> dict[str, Any]:
    card, temperature = model.bundle.card, temperature_of(model.figures["calibration"])
    bins, curves = {}, {}
    for split, scores in model.scores.items():
        chosen, labels = own_labels(card, faces, split)
        before = scores.probs[chosen]
        after = temperature.apply(before)
        bins[split] = {"before": _bins(before, labels), "after": _bins(after, labels)}
        curve = coverage(after, labels)
        some = np.unique(np.linspace(0, len(labels) - 1, _COVERAGE_POINTS).astype(int))
        curves[split] = [
            {
                "threshold": float(curve.threshold[i]),
                "answered": float(curve.answered[i]),
                "accuracy": float(curve.accuracy[i]),
            }
            for i in some
        ]
    plain = card.to_dict() | {"labels": list(card.labels), "limits": list(card.limits)}
    return {
        **model.figures,
        "model": model.name,
        "card": plain,
        "size_bytes": len(model.bundle.content),
        "ms_per_face": {split: scores.ms_per_face for split, scores in model.scores.items()},
        "reliability": bins,
        "coverage": curves,
        "robustness": dict(model.robustness),
    }


def _bins(probs: np.ndarray, labels: np.ndarray) -> list[dict[str, float | int]]:
    found = reliability(probs, labels)
    return [
        {
            "low": float(found.edges[i]),
            "high": float(found.edges[i + 1]),
            "faces": int(found.count[i]),
            "confidence": float(found.confidence[i]),
            "accuracy": float(found.accuracy[i]),
        }
        for i in np.flatnonzero(found.count)
    ]


def _comparison(first: ReportedModel, second: ReportedModel, split: str, labels: np.ndarray) -> dict[str, Any]:
    found = compare(first.scores[split].probs, second.scores[split].probs, labels)
    return {
        "first": first.name,
        "second": second.name,
        "split": split,
        "agreement": found.agreement,
        **{name: int(getattr(found, name).sum()) for name in ("both", "only_first", "only_second", "neither")},
        "difference": found.difference,
        "difference_95": list(found.difference_95),
        "p_value": found.p_value,
        "more_than_chance": found.more_than_chance,
    }


def _scores(content: Mapping[str, Any]) -> str:
    head = ["Model", "Split", "Images", "Protocol", "Accuracy", "95 %", "Macro-F1", "Balanced", "Top 2"]
    rows = []
    for model in content["models"]:
        for split, found in model["splits"].items():
            for each in (found, found["with_flip"]):
                rows.append(
                    [
                        model["model"],
                        split,
                        f"{found['images']:,}",
                        each["protocol"],
                        _percent(each["accuracy"]),
                        _interval(each["accuracy_95"]),
                        f"{each['macro_f1']:.3f}",
                        _percent(each["balanced_accuracy"]),
                        _percent(each["top2"]),
                    ]
                )
            for key, words in (
                ("without_copies", "one view, images not also in Training"),
                ("ferplus", "one view, against what more of ten people saw than anything else (FER+)"),
            ):
                if key in found:
                    each = found[key]
                    rows.append(
                        [
                            model["model"],
                            split,
                            f"{each['images']:,}",
                            words,
                            _percent(each["accuracy"]),
                            _interval(each["accuracy_95"]),
                            f"{each['macro_f1']:.3f}",
                            "",
                            "",
                        ]
                    )
    return _table(head, rows)


def _trained_on(model: Mapping[str, Any]) -> str:
    if not model["learned"]:
        return ""
    return (
        f"<p><strong>{escape(model['model'])} learned from faces of {escape(' and '.join(model['learned']))}:"
        "</strong> its figures there say how well it remembers, not how well it recognises.</p>"
    )


def _published(content: Mapping[str, Any]) -> str:
    if content["data"]["synthetic"]:
        return ""
    rows = [
        [
            each["name"],
            each["split"],
            _percent(each["accuracy"]),
            each["protocol"],
            "comparable" if each["comparable"] and each["split"] == content["split"] else "not comparable",
        ]
        for each in content["published"]
    ]
    return "<h2>Published on FER-2013</h2>" + _table(["Who", "Split", "Accuracy", "How", ""], rows)


def _compared(found: Mapping[str, Any]) -> str:
    first, second = escape(found["first"]), escape(found["second"])
    low, high = found["difference_95"]
    difference = (
        "Both are right equally often."
        if found["difference"] == 0
        else (
            f"The accuracy of {first} less that of {second} is {found['difference'] * 100:+.2f} points (95 % interval "
            f"{low * 100:+.2f} to {high * 100:+.2f}); McNemar's test gives p = {found['p_value']:.2g}: "
            f"{'more than chance' if found['more_than_chance'] else 'it could be chance'}."
        )
    )
    return (
        f"<h2>{first} and {second}</h2><p>On {escape(found['split'])} both are right for {found['both']:,} faces, "
        f"only {first} for {found['only_first']:,}, only {second} for {found['only_second']:,}, neither for "
        f"{found['neither']:,}; they say the same for {_percent(found['agreement'])}. {difference}</p>"
    )


def _about(model: Mapping[str, Any], split: str) -> str:
    card, found, fitted = model["card"], model["splits"][split], model["calibration"]
    by_label = [
        [
            label,
            *(_percent(found["by_label"][label][key]) for key in ("precision", "recall", "f1")),
            f"{found['by_label'][label]['support']:,}",
        ]
        for label in LABELS
    ]
    here = fitted["by_split"][split]
    answered = (
        ""
        if fitted["uncertain_below"] is None
        else (
            f" Below a best score of {_percent(fitted['uncertain_below'])} it says uncertain: it answers "
            f"{_percent(here['answered'])} of the faces, {_percent(here['accuracy_answered'])} of these rightly."
        )
    )
    where = f", fitted on {escape(fitted['fitted_on'])}" if fitted["fitted_on"] else ""
    diagrams = "".join(
        reliability_svg(model["reliability"][split][key], words)
        for key, words in (
            ("before", f"As trained: calibration error {_percent(here['ece_before'])}"),
            ("after", f"After temperature: calibration error {_percent(here['ece_after'])}"),
        )
    )
    return (
        f"<h2>{escape(model['model'])}</h2>{_card(model, card, split)}"
        f"<h3>By expression, {escape(split)}, one view</h3>"
        + _table(["Expression", "Precision", "Recall", "F1", "Faces"], by_label)
        + f"<h3>Confusion, {escape(split)}, one view</h3>{_confusion(found['confusion'])}"
        f"<h3>Calibration, {escape(split)}</h3><p>Temperature {temperature_of(fitted)}{where}.{answered}</p>"
        f'<div class="figures">{diagrams}</div>'
    )


def _card(model: Mapping[str, Any], card: Mapping[str, Any], split: str) -> str:
    facts = [
        ["Architecture", card["architecture"]],
        ["Parameters", f"{card['parameters']:,}"],
        ["Input", card["input"]],
        ["Size", f"{model['size_bytes'] / 1e6:.1f} MB"],
        ["One face", f"{model['ms_per_face'][split]:.2f} ms, median, on the machine that measured"],
        ["Learned from", str(card["data"].get("name", "not stated"))],
        ["Trained on", ", ".join(card["training"].get("train_splits", ())) or "not stated"],
        ["SHA-256", str(model["sha256"])],
    ]
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card["limits"])
    return _table(None, facts) + (f"<h3>Limits, by its card</h3><ul>{limits}</ul>" if limits else "")


def _confusion(confusion: Sequence[Sequence[int]]) -> str:
    head = "".join(f"<th>{label}</th>" for label in LABELS)
    rows = []
    for i, label in enumerate(LABELS):
        total = max(1, sum(confusion[i]))
        cells = "".join(
            f'<td style="background:{shade(count / total, i == j)}" title="{_percent(count / total)}">{count:,}</td>'
            for j, count in enumerate(confusion[i])
        )
        rows.append(f"<tr><th>{label}</th>{cells}</tr>")
    return (
        '<p class="note">Rows: labelled. Columns: said.</p><div class="scroll"><table class="confusion">'
        f"<tr><td></td>{head}</tr>{''.join(rows)}</table></div>"
    )


def _robustness(content: Mapping[str, Any]) -> str:
    measured = {
        model["model"]: found for model in content["models"] if (found := model["robustness"].get(content["split"]))
    }
    if not measured:
        return ""
    figures = "".join(
        curves_svg({name: found[corruption] for name, found in measured.items()}, corruption, each.unit)
        for corruption, each in CORRUPTIONS.items()
    )
    return (
        f"<h2>Robustness, {escape(content['split'])}</h2>{legend(list(measured))}"
        '<p class="note">Accuracy, one view. A ring is the picture as it is.</p>'
        f'<div class="figures">{figures}</div>'
    )


def _table(head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    top = "" if head is None else "<tr>" + "".join(f'<th scope="col">{escape(word)}</th>' for word in head) + "</tr>"
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table>{top}{body}</table></div>'


def _cell(words: str) -> str:
    number = ' class="number"' if words[:1].isdigit() and len(words) < 20 else ""
    return f"<td{number}>{escape(words)}</td>"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _interval(interval: Sequence[float]) -> str:
    return f"{interval[0] * 100:.1f} to {interval[1] * 100:.1f} %"
