import pytest

from fer_core.errors import SettingsError
from fer_core.service.access import is_loopback, require_safe
from fer_core.settings import Settings


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
)
def test_what_only_this_machine_reaches_is_known(host, loopback):
    assert is_loopback(host) == loopback


def test_a_host_that_others_reach_needs_keys():
    with pytest.raises(SettingsError, match=r"export FER_API_KEYS=.*token_urlsafe"):
        require_safe("0.0.0.0", ())
    require_safe("0.0.0.0", ("k" * 16,))
    require_safe("127.0.0.1", ())


def test_keys_come_from_the_environment():
    assert Settings.from_env({"FER_API_KEYS": f"{'k' * 16}, {'l' * 20}"}).api_keys == ("k" * 16, "l" * 20)
    assert Settings.from_env({}).api_keys == ()
    with pytest.raises(SettingsError, match="at least 16 characters, got one of 6"):
        Settings.from_env({"FER_API_KEYS": "secret"})
    assert "k" * 16 not in repr(Settings(api_keys=("k" * 16,)))
