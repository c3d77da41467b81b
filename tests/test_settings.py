import json
import sys
from pathlib import Path

import pytest

from fer_core import settings
from fer_core.errors import SettingsError
from fer_core.settings import Settings, home_folder

TURN = {"urls": ["turn:turn.example.org:3478"], "username": "me", "credential": "secret"}


def test_an_empty_environment_contacts_nothing_and_uses_the_bundled_model():
    assert Settings.from_env({}) == Settings(model=None, ice_servers=())


def test_ice_servers_keep_their_credentials():
    servers = [{"urls": "stun:stun.example.org"}, TURN]
    assert Settings.from_env({"FER_ICE_SERVERS": json.dumps(servers)}).ice_servers == tuple(servers)


def test_model_is_taken_from_the_environment():
    assert Settings.from_env({"FER_MODEL": "seed-cnn"}).model == "seed-cnn"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("turn:example.org", "not JSON"),
        ('{"urls": "stun:example.org"}', "got dict"),
        ('[{"url": "stun:example.org"}]', "with `urls`"),
        ('[{"urls": "http://example.org"}]', "got 'http://example.org'"),
        ('[{"urls": "stun:example.org:3478?transport=udp"}]', "got 'stun:example.org:3478.transport=udp'"),
        ('[{"urls": ["turn:example.org:port"], "username": "me", "credential": "x"}]', "got 'turn:example.org:port'"),
        ('[{"urls": "turn:example.org:", "username": "me", "credential": "x"}]', "got 'turn:example.org:'"),
        ('[{"urls": "turn:example.org?transport=tls", "username": "me", "credential": "x"}]', "turn:host:3478"),
        ('[{"urls": "stun:"}]', "like stun:host"),
        ('[{"urls": "turn:example.org", "username": "me"}]', "needs `username` and `credential`"),
    ],
)
def test_unusable_ice_servers_are_explained(text, words):
    with pytest.raises(SettingsError, match=words):
        Settings.from_env({"FER_ICE_SERVERS": text})


@pytest.mark.parametrize(
    "url",
    [
        "stun:example.org",
        "stuns:example.org:5349",
        "turn:192.0.2.1:3478",
        "turn:example.org?transport=udp",
        "turns:example.org:5349?transport=tcp",
    ],
)
def test_what_is_let_through_is_what_the_stream_takes(url):
    from aiortc.rtcicetransport import parse_stun_turn_uri

    server = {"urls": url, "username": "me", "credential": "secret"}
    assert Settings.from_env({"FER_ICE_SERVERS": json.dumps([server])}).ice_servers == (server,)
    parse_stun_turn_uri(url)


def test_the_home_is_one_folder_wherever_a_process_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    here = Path.cwd()
    monkeypatch.setenv("FER_HOME", "data/../home")
    assert home_folder() == here / "home"
    monkeypatch.setenv("FER_HOME", "~/home")
    assert home_folder() == tmp_path.resolve() / "home"


@pytest.fixture
def user(tmp_path, monkeypatch):
    """The home of a user who has set nothing."""
    for name in ("FER_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path.resolve()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
def test_the_home_on_linux_follows_the_xdg_specification(user, monkeypatch):
    assert home_folder() == user / ".local" / "share" / "fer-dashboard"
    monkeypatch.setenv("XDG_DATA_HOME", str(user / "share"))
    assert home_folder() == user / "share" / "fer-dashboard"


def test_a_folder_of_former_versions_stays_the_home(user, monkeypatch):
    proper = user / "Library" / "Application Support" / "fer-dashboard"
    monkeypatch.setattr(settings, "user_data_path", lambda name, appauthor: proper)
    assert home_folder() == proper
    former = user / ".local" / "share" / "fer-dashboard"
    former.mkdir(parents=True)
    assert home_folder() == former


def test_the_number_of_viewers_is_a_whole_number_or_left_to_the_cores():
    assert Settings.from_env({}).max_viewers is None
    assert Settings.from_env({"FER_MAX_VIEWERS": " 12 "}).max_viewers == 12


@pytest.mark.parametrize("text", ["0", "-3", "many", "2.5"])
def test_another_number_of_viewers_is_refused(text):
    with pytest.raises(SettingsError, match="FER_MAX_VIEWERS must be a whole number of at least 1, got"):
        Settings.from_env({"FER_MAX_VIEWERS": text})


def test_turn_servers_need_no_credentials_where_a_secret_makes_them():
    server = json.dumps([{"urls": "turn:turn.example.org"}])
    settings = Settings.from_env({"FER_ICE_SERVERS": server, "FER_TURN_SECRET": "north"})
    assert settings.turn_secret == "north" and "north" not in repr(settings)
    with pytest.raises(SettingsError, match="FER_TURN_SECRET"):
        Settings.from_env({"FER_ICE_SERVERS": server})


def test_the_address_for_live_scores_is_this_computer_unless_told_otherwise():
    assert Settings.from_env({}).scores_address == ("127.0.0.1", 0)
    assert Settings.from_env({"FER_SCORES_ADDRESS": "0.0.0.0:8765"}).scores_address == ("0.0.0.0", 8765)
    assert Settings.from_env({"FER_SCORES_ADDRESS": "[::1]:0"}).scores_address == ("::1", 0)
    for text in ("8765", "host:", ":8765", "host:99999", "host:port"):
        with pytest.raises(SettingsError, match=r"HOST:PORT such as 127\.0\.0\.1:8765"):
            Settings.from_env({"FER_SCORES_ADDRESS": text})


def test_the_size_of_videos_is_a_whole_number_and_may_be_none():
    assert Settings.from_env({}).max_video_mb == 1000
    assert Settings.from_env({"FER_VIDEO_MB": " 250 "}).max_video_mb == 250
    assert Settings.from_env({"FER_VIDEO_MB": "0"}).max_video_mb == 0
    for text in ("-1", "1.5", "many"):
        with pytest.raises(SettingsError, match=r"FER_VIDEO_MB must be a whole number .* Correct it"):
            Settings.from_env({"FER_VIDEO_MB": text})


def test_network_cameras_are_read_from_a_file_that_the_operator_keeps(tmp_path):
    file = tmp_path / "cameras.txt"
    file.write_text("# the lab\n\nLab = rtsp://viewer:secret@192.0.2.7/a?b=c\nDoor=HTTP://192.0.2.8/mjpeg\n")
    settings = Settings.from_env({"FER_CAMERAS": str(file)})
    assert [(camera.name, camera.url) for camera in settings.cameras] == [
        ("Lab", "rtsp://viewer:secret@192.0.2.7/a?b=c"),
        ("Door", "HTTP://192.0.2.8/mjpeg"),
    ]
    assert "secret" not in repr(settings)
    assert Settings.from_env({}).cameras == ()


@pytest.mark.parametrize(
    "line", ["Lab", "= rtsp://secret@host/", "Lab = file:///etc/passwd", "Lab = secret", "Door = rtsp://secret@other/"]
)
def test_a_file_of_cameras_with_a_line_that_cannot_be_used_is_refused_without_an_address(tmp_path, line):
    file = tmp_path / "cameras.txt"
    file.write_text(f"Door = rtsp://host/\n{line}\n")
    with pytest.raises(SettingsError, match=r"Line 2 of .*cameras\.txt \(FER_CAMERAS\) must be like") as told:
        Settings.from_env({"FER_CAMERAS": str(file)})
    assert "secret" not in str(told.value) and "passwd" not in str(told.value)


def test_a_file_of_cameras_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="FER_CAMERAS must name a file"):
        Settings.from_env({"FER_CAMERAS": str(tmp_path / "none.txt")})
