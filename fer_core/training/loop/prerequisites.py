"""What a run needs besides its data, checked before its folder is made."""

from __future__ import annotations

from fer_core.data.resolve import class_names_of
from fer_core.dependencies import INSTALL_MLFLOW, INSTALL_TRAIN, require_package
from fer_core.training.config import RunConfig
from fer_core.training.loop.distillation import check_teachers
from fer_core.training.loop.initialization import find_initial_weights


def check_prerequisites(config: RunConfig) -> None:
    """Check that the teachers, the network that a run starts from and the programs that it logs to can be used.

    Raises:
        FerError: a network is missing, altered, of another architecture or, as a teacher, of other classes, or has
            trained on faces that the run does not train on; or a package is not installed.
    """
    if config.tensorboard:
        require_package("tensorflow", "Logging for TensorBoard", INSTALL_TRAIN)
    if config.mlflow:
        require_package("mlflow", "Logging to MLflow", INSTALL_MLFLOW)
    class_names = class_names_of(config.data)
    check_teachers(config, class_names)
    if config.start_from:
        find_initial_weights(config, class_names)
