"""Workers as jobs of a batch system: what is submitted, and what is said where it cannot be."""

import subprocess
import sys

import pytest

from fer_core.background.batch_cluster import batch_cluster
from fer_core.background.cluster import Cluster, connected
from fer_core.errors import ClusterError

SLURM = """
jobs: 4
queue: gpu
account: faces
cores: 2
processes: 2
memory: 8GB
walltime: "02:00:00"
job_extra_directives: ["--gres=gpu:1"]
job_script_prologue: ["module load cuda"]
"""
# The cluster runs an event loop, which a browser test may have left in this process.
SCRIPT = """
import sys
from pathlib import Path

from fer_core.background.batch_cluster import batch_cluster

with batch_cluster(Path(sys.argv[1])) as cluster:
    print(cluster.job_script())
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "slurm.yaml"
    path.write_text(SLURM)
    return path


def test_a_file_becomes_the_script_of_a_slurm_job(file, tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("FER_HOME", str(tmp_path / "my home"))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    script = done.stdout.splitlines()
    directives = [line.removeprefix("#SBATCH ") for line in script if line.startswith("#SBATCH ")]
    assert {"-p gpu", "-A faces", "--cpus-per-task=2", "--mem=8G", "-t 02:00:00", "--gres=gpu:1"} <= set(directives)
    commands = [line for line in script if line and not line.startswith("#")]
    assert commands[:2] == [f"export FER_HOME='{tmp_path / 'my home'}'", "module load cuda"]
    assert sys.executable in commands[2] and "--nworkers 2 " in commands[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "to hold names and values"),
        ("a: [", "is not a YAML file"),
        ("kind: cloud", "kind in .* out of slurm, pbs, sge, lsf; got 'cloud'"),
        ("jobs: many", "jobs in .* a whole number of at least 1; got 'many'"),
        ("cores: 1\nmemory: 1GB\nqeue: gpu", "does not describe jobs of slurm: .*qeue"),
    ],
)
def test_what_describes_no_jobs_is_refused_in_words(file, text, said):
    pytest.importorskip("dask_jobqueue")
    file.write_text(text)
    with pytest.raises(ClusterError, match=said):
        batch_cluster(file)


def test_where_no_job_can_be_submitted_it_says_so(file, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        pytest.raises(ClusterError, match="jobs of slurm, but there is no sbatch here"),
        connected(Cluster(str(file))),
    ):
        pass
