import json
from pathlib import Path

import pytest

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
    assert home_folder({"FER_HOME": "data/../home"}) == here / "home"
    assert home_folder({"FER_HOME": "~/home"}) == tmp_path.resolve() / "home"
    assert home_folder({"XDG_DATA_HOME": "share"}) == here / "share" / "fer-dashboard"
