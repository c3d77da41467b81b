"""Background jobs on a page: start them for this browser tab, show how far they are, hand over their outcome.

Everybody sees that a job runs. Its outcome goes to the tab that started it, which is known again
after a reload by an id in its address.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from typing import BinaryIO

import streamlit as st

from fer_core.background.jobs import Job, list_jobs, sweep_jobs
from fer_core.background.launch import start_job
from fer_core.background.task import Progress, Task
from fer_core.errors import JobError
from fer_core.formats import approximate_duration
from fer_core.ui.components.timers import draw_every

_OWNER = "job_owner"
# The address's word for the id of the tab; it is there only while the tab has a job.
_ADDRESS = "tab"
_POLL_S = 0.5
_SWEEP_EVERY_S = 60.0
_SEEN_EVERY_S = 60.0


def owner_id() -> str:
    """Return the id of this browser tab, the same after a reload if it has started a job."""
    if _OWNER not in st.session_state:
        st.session_state[_OWNER] = st.query_params.get(_ADDRESS) or secrets.token_urlsafe(9)
    return st.session_state[_OWNER]


def keep_owner() -> None:
    """Keep the tab's id in its address on every page while one of its jobs runs or has an outcome to show."""
    _start_sweeper()
    if any(job.request.owner == owner_id() for job in list_jobs()):
        st.query_params[_ADDRESS] = owner_id()
    else:
        st.query_params.pop(_ADDRESS, None)


def start_own_job(task: Task, uploads: Mapping[str, BinaryIO] | None = None) -> Job | None:
    """Start a job of this tab; where that cannot be, say why and return None."""
    try:
        job = start_job(task, owner_id(), uploads)
    except JobError as error:
        st.toast(str(error), icon=":material/error:", duration="long")
        return None
    st.query_params[_ADDRESS] = owner_id()
    return job


def own_job(kind: str) -> Job | None:
    """Return the job of a kind that this tab started last, if it runs or its outcome was not taken yet."""
    return next((job for job in list_jobs() if job.request.kind == kind and is_own(job)), None)


def latest_job(key: str) -> Job | None:
    """Return the job that was started last under `key`, whoever started it."""
    return next((job for job in list_jobs() if job.request.key == key), None)


def is_own(job: Job) -> bool:
    """Return whether this tab started the job."""
    return job.request.owner == owner_id()


def show_job(job: Job) -> None:
    """Show how far a running job is, with a button that cancels it; rerun the page when it ends."""
    draw_every(_POLL_S, _show, job)


def show_failure(job: Job, what: str = "", error: str = "") -> None:
    """Show why a job of this tab failed, until its user closes that.

    Args:
        job: one that may have failed; nothing is shown of any other, nor of those of other tabs.
        what: the headline; by default that the job failed.
        error: why, in the page's words; by default in the job's.
    """
    if job.state != "failed" or not is_own(job):
        return
    with st.container(key=f"failed_{job.id}"):
        st.error(f"**{what or f'{job.title} failed.'}** {error or job.error}", icon=":material/error:")
        st.button("Close", key=f"close_{job.id}", on_click=job.remove)


def keep_while_open(job: Job) -> None:
    """Keep a job's outcome for as long as this page stays open."""
    draw_every(_SEEN_EVERY_S, _mark_seen, job)


def progress_text(title: str, progress: Progress) -> str:
    """Say how far a job is.

    >>> progress_text("Reading fer2013.csv", Progress(43, 100, since_s=0, since_done=3, time_s=8.6))
    'Reading fer2013.csv · 43 % · about 12 s left'
    """
    parts = [title, progress.phase] if progress.phase else [title]
    if progress.share is not None:
        parts.append(f"{progress.share * 100:.0f} %")
    if progress.left_s is not None:
        parts.append(f"about {approximate_duration(progress.left_s)} left")
    return " · ".join(parts)


def _show(job: Job) -> None:
    job = job.refresh()
    if not job.running:
        st.rerun()
    job_bar(job)


def job_bar(job: Job) -> None:
    """Draw a running job as it is now, with a button that cancels it, in a fragment that draws itself again."""
    title = job.title if is_own(job) else f"{job.title} (started in another tab)"
    with (
        st.container(border=True, key=f"job_{job.id}"),
        st.container(horizontal=True, vertical_alignment="center", gap="medium"),
    ):
        st.progress(job.progress.share or 0.0, progress_text(title, job.progress))
        label = "Cancelling…" if job.cancelling else "Cancel"
        st.button(label, key=f"cancel_{job.id}", on_click=job.cancel, disabled=job.cancelling)


def _mark_seen(job: Job) -> None:
    job.mark_seen()


@st.cache_resource(show_spinner=False)
def _start_sweeper() -> None:
    """Delete outcomes past their time also while nobody uses the app; some hold a person's pictures."""
    threading.Thread(target=_sweep_forever, name="sweep jobs", daemon=True).start()


def _sweep_forever() -> None:
    while True:
        sweep_jobs()
        time.sleep(_SWEEP_EVERY_S)
