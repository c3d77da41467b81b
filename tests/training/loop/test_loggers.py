"""A run's history as TensorBoard and MLflow read it."""

import dataclasses
import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import pytest

from fer_core import dependencies
from fer_core.cli import main
from fer_core.errors import DependencyError
from fer_core.training.loop.prerequisites import check_prerequisites
from tests.training.running import stop_in_epoch

pytestmark = pytest.mark.usefixtures("home", "eager")


def scalars(folder) -> dict[str, dict[int, float]]:
    """Read the scalars in a folder of event files: name to step to value."""
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    found: dict[str, dict[int, float]] = {}
    for file in sorted(folder.iterdir()):
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_a_run_writes_event_files_also_over_a_stop(config, new_run, train, monkeypatch):
    run = new_run(config, tensorboard=True)
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        assert train(run) is None
    train(run)
    history = run.history()
    validation = scalars(run.tensorboard_folder / "validation")
    assert validation["epoch_accuracy"] == pytest.approx(dict(enumerate(history["val_accuracy"])), abs=1e-4)
    training = scalars(run.tensorboard_folder / "train")
    assert training["epoch_loss"] == pytest.approx(dict(enumerate(history["loss"])), rel=1e-3)
    assert "epoch_learning_rate" in training


def test_without_the_option_there_are_no_event_files(config, new_run, train):
    run = new_run(config, epochs=1)
    train(run)
    assert not run.tensorboard_folder.exists()


@pytest.fixture
def mlflow(monkeypatch):
    """A stand-in for the package that notes what it is given."""
    module = ModuleType("mlflow")
    module.runs, module.params, module.metrics = [], {}, {}

    @contextmanager
    def start_run(run_id=None, run_name=None):
        module.runs.append((run_id, run_name))
        yield SimpleNamespace(info=SimpleNamespace(run_id=run_id or "abc"))

    module.start_run = start_run
    module.log_params = module.params.update
    module.log_metrics = lambda metrics, step: module.metrics.update({step: metrics})
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return module


def test_a_resumed_run_goes_on_with_its_mlflow_run(mlflow, config, new_run, train, monkeypatch):
    run = new_run(config, "mine", mlflow=True)
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        train(run)
    train(run)
    assert mlflow.runs == [(None, "mine"), ("abc", None)]
    assert mlflow.params["batch_size"] == "16"
    assert sorted(mlflow.metrics) == [0, 1, 2, 3]
    assert mlflow.metrics[3]["val_accuracy"] == pytest.approx(run.history()["val_accuracy"].iloc[3])


def test_without_mlflow_a_run_says_what_to_install(config, monkeypatch, capsys):
    monkeypatch.setattr(dependencies, "find_spec", lambda name: None if name == "mlflow" else object())
    with pytest.raises(DependencyError, match=r"needs mlflow, which is not installed"):
        check_prerequisites(dataclasses.replace(config, mlflow=True))
    assert main(["train", "--preset", "quick", "--mlflow"]) == 1
    assert 'pip install "fer-dashboard[mlflow]"' in capsys.readouterr().err
