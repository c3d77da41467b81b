"""What every view of a data set needs and takes seconds to compute: once after it is read in, and then kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.audit.findings import Findings
from fer_core.audit.image_stats import ImageStats, compute_image_stats
from fer_core.audit.summary import Summary, mean_faces, summarize
from fer_core.cache import cache_folder, get_or_compute
from fer_core.data.duplicate_groups import Groups
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import FaceSet

_NAME = "first-look"


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What is known of a data set without minutes of work.

    Attributes:
        summary: of the whole.
        findings: in each face; near copies were not looked for, and no model was asked.
    """

    summary: Summary
    findings: Findings


def first_look(faces: FaceSet) -> FirstLook:
    """Return the first look at a data set, computed and kept if that was not done before."""
    arrays = get_or_compute(cache_folder(faces.hash), _NAME, lambda: _compute(faces))
    findings = Findings(
        faces.labels,
        faces.split,
        faces.votes,
        ImageStats(arrays["mean"], arrays["std"], arrays["black"]),
        Groups(arrays["exact"]),
        class_names=faces.class_names,
    )
    return FirstLook(summarize(faces, arrays["mean_faces"]), findings)


def _compute(faces: FaceSet) -> Mapping[str, np.ndarray]:
    stats = compute_image_stats(faces.images)
    return {
        "mean": stats.mean,
        "std": stats.std,
        "black": stats.black,
        "exact": exact_duplicates(faces.images).id,
        "mean_faces": mean_faces(faces),
    }
