"""Ports: a taken default moves on, a taken choice is refused."""

import socket

import pytest

from bot.sandbox.ports import CHILDREN, HOST, PortTakenError, free_port, page_socket


def listening() -> socket.socket:
    taken = socket.socket()
    taken.bind((HOST, 0))
    taken.listen(1)
    return taken


def test_a_taken_default_port_moves_to_the_next_free_one() -> None:
    with listening() as taken:
        port = taken.getsockname()[1]
        with page_socket(port, is_default=True) as moved:
            assert moved.getsockname()[1] > port


def test_a_taken_port_that_was_chosen_is_refused_by_its_number() -> None:
    with listening() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} is taken"):
            page_socket(port, is_default=False)


def test_a_free_port_that_was_chosen_is_listened_on() -> None:
    port = free_port()
    with page_socket(port, is_default=False) as bound, socket.create_connection((HOST, port), timeout=1):
        assert bound.getsockname() == (HOST, port)


def test_a_childs_port_is_not_among_those_of_outgoing_connections() -> None:
    assert {free_port() in CHILDREN for _ in range(20)} == {True}
