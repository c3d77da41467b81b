"""The learning-rate finder of the form: a short background job, its curve, and the rate that it suggests."""

from __future__ import annotations

import streamlit as st

from fer_core.background.jobs import Job, running_job
from fer_core.charts.timeline import QUIET
from fer_core.charts.training import rate_sweep_figure
from fer_core.training.config import RunConfig
from fer_core.training.learning_rate import SWEEP_STEPS, FindLearningRate, RateSweep
from fer_core.ui.components.jobs import own_job, show_failure, show_job, start_own_job


def rate_finder(config: RunConfig, rate_key: str) -> None:
    """Draw the finder, folded away.

    Args:
        config: what the form would train.
        rate_key: session key of the form's field for the learning rate.
    """
    with st.expander("Find a learning rate", icon=":material/speed:"):
        job = own_job(FindLearningRate.kind)
        if job is not None and job.running:
            show_job(job)
            return
        st.button(
            "Try learning rates",
            icon=":material/play_arrow:",
            key="find_rate",
            on_click=start_own_job,
            args=(FindLearningRate(config.to_dict()),),
            disabled=running_job(FindLearningRate.kind) is not None,
            help=f"Trains these settings on up to {SWEEP_STEPS} batches while the learning rate rises from one to the "
            "next (Smith 2017). No run is made.",
        )
        if job is not None:
            _outcome(job, config, rate_key)


def _outcome(job: Job, config: RunConfig, rate_key: str) -> None:
    show_failure(job, "No learning rate was found.")
    if job.state != "finished":
        return
    sweep = RateSweep.from_json(job.result)
    st.plotly_chart(
        rate_sweep_figure(sweep.rates, sweep.losses, sweep.smoothed.tolist(), sweep.suggested),
        width="stretch",
        config=QUIET,
        key="rate_sweep",
        alt="loss by learning rate",
    )
    if sweep.suggested is None:
        st.caption("No rate can be suggested: the loss hardly falls at any of them.")
    else:
        st.markdown(f"Suggested: **{sweep.suggested:g}**, a tenth of the rate at which the loss is lowest.")
        st.button(
            "Use it",
            key="use_rate",
            on_click=lambda: st.session_state.update({rate_key: sweep.suggested}),
            disabled=config.learning_rate == sweep.suggested,
        )
    tried = RunConfig.from_dict(dict(job.request.arguments["config"]))
    if _relevant(tried) != _relevant(config):
        st.caption(
            f"Tried with other settings: {tried.architecture}, {tried.optimizer}, batch {tried.batch_size}, "
            f"{tried.data}."
        )


def _relevant(config: RunConfig) -> tuple[object, ...]:
    return config.architecture, config.optimizer, config.batch_size, config.data, config.label_set, config.start_from
