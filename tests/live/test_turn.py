from fer_core.live.turn import VALID_S, with_credentials

SERVERS = [
    {"urls": "stun:a.example"},
    {"urls": ["turn:b.example", "turns:b.example?transport=tcp"]},
    {"urls": "turn:c.example", "username": "me", "credential": "mine"},
]


def test_turn_servers_without_credentials_get_what_coturn_computes_from_the_secret():
    # Expected: printf %s "1700089200:viewer" | openssl dgst -sha1 -hmac north -binary | base64
    made = with_credentials(SERVERS, "north", "viewer", 1_700_000_000)
    assert made[1] == SERVERS[1] | {"username": "1700089200:viewer", "credential": "6PDgxwS1fg0M4w3SsA+Nw0NS+UM="}
    assert made[0] == SERVERS[0] and made[2] == SERVERS[2]


def test_they_hold_a_day_and_change_at_most_every_hour():
    def until_s(now_s):
        return int(with_credentials(SERVERS, "north", "viewer", now_s)[1]["username"].split(":")[0])

    assert until_s(3600 * 5 + 1) == until_s(3600 * 6 - 1) < until_s(3600 * 6 + 1)
    assert all(VALID_S <= until_s(now_s) - now_s <= VALID_S + 3600 for now_s in (0.0, 3599.0, 7200.0))


def test_without_a_secret_nothing_is_added():
    assert with_credentials(SERVERS, "", "viewer", 0.0) == SERVERS
