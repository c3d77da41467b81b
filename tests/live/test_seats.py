import pytest

from fer_core.live.seats import OFFER_S, SILENT_S, Seats


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def full(clock):
    """Two places, both taken."""
    seats = Seats(2, clock)
    assert seats.take("a") and seats.take("b")
    return seats


def test_there_is_no_queue_while_there_is_room(clock):
    seats = Seats(2, clock)
    assert seats.ahead("a") is None and seats.ahead("b") is None and seats.ahead("c") is None
    assert seats.take("c") and seats.take("c") and seats.take("a")
    assert not seats.take("b")


def test_newcomers_are_told_how_many_wait_before_them(full):
    assert [full.ahead(viewer) for viewer in "cdec"] == [0, 1, 2, 0]
    assert not full.take("c")
    full.leave("d")
    assert full.ahead("e") == 1


def test_the_first_in_line_gets_in_when_one_leaves_and_nobody_overtakes(full):
    full.ahead("c"), full.ahead("d")
    full.leave("a")
    assert not full.take("e") and not full.take("d")
    assert full.ahead("d") == 0 and full.ahead("c") is None
    assert full.take("c")


def test_a_place_that_is_not_taken_goes_to_the_next(full, clock):
    full.ahead("c"), full.ahead("d")
    full.leave("a")
    assert full.ahead("c") is None
    for _ in range(4):
        clock.now_s += OFFER_S / 4
        full.seen("b")
        full.ahead("d")
    assert full.ahead("d") is None
    assert full.ahead("c") == 0


def test_who_closes_the_page_while_waiting_stops_nobody(full, clock):
    full.ahead("c")
    clock.now_s += 10
    assert full.ahead("d") == 1
    clock.now_s += 10
    assert full.ahead("d") == 0


def test_a_stream_that_is_gone_without_a_word_frees_its_place(full, clock):
    clock.now_s = SILENT_S - 1
    full.seen("a")
    clock.now_s = SILENT_S + 1
    assert full.ahead("c") is None and full.take("c")
    assert full.ahead("d") == 0
