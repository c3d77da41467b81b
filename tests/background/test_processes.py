import os

from fer_core.background import processes


def test_a_process_of_another_folder_has_the_same_home(tmp_path, monkeypatch):
    """A relative home is one of the folder that the parent works in."""
    given = {}

    class Started:
        pid = 1

        def __init__(self, command, **options):
            given.update(options)

        def wait(self):
            return 0

    monkeypatch.setattr(processes.subprocess, "Popen", Started)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_HOME", "home")
    processes.start_command(["train"], tmp_path / "log.txt", environment={"KERAS_BACKEND": "tensorflow"})
    assert os.path.realpath(given["cwd"]) != str(tmp_path)
    assert given["env"]["FER_HOME"] == str((tmp_path / "home").resolve())
    assert given["env"]["KERAS_BACKEND"] == "tensorflow"
