"""Workers as jobs of a batch system, such as SLURM, started and ended by the command that needs them.

A small YAML file says what a job is: `kind` (slurm unless it says otherwise), `jobs`, their number, and what
dask-jobqueue's cluster of that kind takes, such as queue, cores, processes, memory and walltime.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_core.dependencies import INSTALL_SLURM, require_package
from fer_core.errors import ClusterError
from fer_core.settings import home_folder

SUFFIXES = (".yaml", ".yml")
# Kinds of batch systems: the class of dask-jobqueue, and the command that it submits jobs with.
_KINDS: Mapping[str, tuple[str, str]] = {
    "slurm": ("SLURMCluster", "sbatch"),
    "pbs": ("PBSCluster", "qsub"),
    "sge": ("SGECluster", "qsub"),
    "lsf": ("LSFCluster", "bsub"),
}
_PROLOGUE = "job_script_prologue"


def start_batch_cluster(path: Path) -> Any:
    """Submit the jobs that a file describes, and return their cluster, a context manager that ends them.

    Raises:
        DependencyError: dask-jobqueue is not installed.
        ClusterError: see `batch_cluster`, or this machine cannot submit jobs.
    """
    kind, jobs, _ = _read(path)
    command = _KINDS[kind][1]
    if shutil.which(command) is None:
        raise ClusterError(
            f"{path} describes jobs of {kind}, but there is no {command} here. Start this on a machine that can submit "
            "jobs, or name the address of a Dask scheduler."
        )
    cluster = batch_cluster(path)
    cluster.scale(jobs=jobs)
    return cluster


def batch_cluster(path: Path) -> Any:
    """Return the cluster that a file describes, without any job yet; its `job_script` shows what will be submitted.

    Raises:
        DependencyError: dask-jobqueue is not installed.
        ClusterError: the file cannot be read, or does not describe jobs.
    """
    require_package("dask_jobqueue", "Starting workers by a batch system", INSTALL_SLURM)
    import dask_jobqueue

    kind, _, options = _read(path)
    # Workers find models, data sets and runs where this command does.
    prologue = [f"export FER_HOME={shlex.quote(str(home_folder()))}", *options.pop(_PROLOGUE, [])]
    dashboard = {"dashboard_address": "127.0.0.1:0"}
    try:
        return getattr(dask_jobqueue, _KINDS[kind][0])(
            **{"scheduler_options": dashboard, "name": "fer", **options, _PROLOGUE: prologue}
        )
    except (TypeError, ValueError) as error:
        raise ClusterError(f"{path} does not describe jobs of {kind}: {error}") from error


def _read(path: Path) -> tuple[str, int, dict[str, Any]]:
    """Return the kind of the batch system, the number of jobs, and what else a file says."""
    import yaml

    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterError(f"{path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise ClusterError(f"{path} is not a YAML file: {error}.") from error
    if not isinstance(content, dict):
        raise ClusterError(f"Expected {path} to hold names and values, such as jobs, cores, memory; got {content!r}.")
    options: dict[str, Any] = {**content}
    kind, jobs = options.pop("kind", "slurm"), options.pop("jobs", 1)
    if kind not in _KINDS:
        raise ClusterError(f"Expected kind in {path} out of {', '.join(_KINDS)}; got {kind!r}.")
    if not isinstance(jobs, int) or jobs < 1:
        raise ClusterError(f"Expected jobs in {path} to be a whole number of at least 1; got {jobs!r}.")
    return kind, jobs, options
