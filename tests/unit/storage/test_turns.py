"""Turns: whoever asked first is served first, and a wait that is given up leaves no gap."""

import threading

from storage.turns import Turns
from tests.patience import PATIENCE, comes_true


def waiting(turns: Turns, served: list[int], number: int) -> threading.Thread:
    """A thread that is already waiting for its turn."""

    def work() -> None:
        assert turns.acquire(PATIENCE)
        served.append(number)
        turns.release()

    thread = threading.Thread(target=work)
    thread.start()
    assert comes_true(lambda: len(turns._waiting) > number, every=0.001)
    return thread


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, served = Turns(), list[int]()
    assert turns.acquire(1)
    threads = [waiting(turns, served, number) for number in range(5)]
    turns.release()
    for thread in threads:
        thread.join(PATIENCE)
    assert served == [0, 1, 2, 3, 4]


def test_who_asks_again_at_once_does_not_overtake_who_waits() -> None:
    turns, served = Turns(), list[int]()
    assert turns.acquire(1)
    thread = waiting(turns, served, 0)
    turns.release()
    assert turns.acquire(PATIENCE)
    assert served == [0]
    turns.release()
    thread.join(PATIENCE)


def test_a_wait_that_ends_in_vain_gives_its_place_up() -> None:
    turns = Turns()
    assert turns.acquire(1)
    assert not turns.acquire(0.01)
    turns.release()
    assert turns.acquire(0.01)
    turns.release()


def test_a_turn_that_comes_while_the_wait_ends_is_taken() -> None:
    turns = Turns()
    assert turns.acquire(1)
    place = threading.Lock()
    # Handed over, and so no longer in the queue, before the waiter could say that it gives up.
    assert turns._gave_up(place)
    turns.release()


def test_many_threads_never_hold_it_together() -> None:
    turns, inside, most = Turns(), list[int](), list[int]()

    def work() -> None:
        for _ in range(200):
            assert turns.acquire(PATIENCE)
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            turns.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (max(most), len(most)) == (1, 1600)
