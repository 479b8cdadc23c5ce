"""The queue: one at a time, in order, bounded, and freed however a turn ends."""

import threading
import time

import pytest

from zoo.errors import BusyError
from zoo.queue import TicketQueue


def hold(queue: TicketQueue, release: threading.Event, order: list[int], number: int) -> threading.Thread:
    def visit() -> None:
        with queue.turn():
            order.append(number)
            release.wait(10)

    thread = threading.Thread(target=visit)
    before = len(queue)
    thread.start()
    while len(queue) == before:
        time.sleep(0.001)
    return thread


def test_one_at_a_time_in_order_and_no_more_than_may_wait() -> None:
    queue, release, order = TicketQueue(waiting=3), threading.Event(), []
    threads = [hold(queue, release, order, number) for number in range(4)]
    assert order == [0]
    with pytest.raises(BusyError, match="3 others"), queue.turn():
        pass
    release.set()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3]
    assert len(queue) == 0


def test_the_place_in_line_is_told() -> None:
    queue, release, order, places = TicketQueue(), threading.Event(), [], []
    threads = [hold(queue, release, order, number) for number in range(2)]

    def tell(place: int) -> None:
        places.append(place)
        release.set()

    with queue.turn(tell):
        pass
    for thread in threads:
        thread.join(10)
    assert places[0] == 2


def test_a_turn_that_fails_frees_the_slot() -> None:
    queue = TicketQueue()
    with pytest.raises(ValueError, match="inside"), queue.turn():
        raise ValueError("inside")
    assert len(queue) == 0


def test_leaving_the_line_frees_the_place() -> None:
    queue, release, order = TicketQueue(), threading.Event(), []
    thread = hold(queue, release, order, 0)

    def leave(_: int) -> None:
        raise RuntimeError("the visitor went away")

    with pytest.raises(RuntimeError, match="went away"), queue.turn(leave):
        pass
    assert len(queue) == 1
    release.set()
    thread.join(10)


def test_a_patient_one_waits_though_the_line_is_full() -> None:
    queue = TicketQueue(waiting=0)
    order: list[str] = []

    told: list[int] = []

    def patient() -> None:
        with queue.patient_turn(told.append, pause=0.01):
            order.append("patient")

    with queue.turn():
        waits = threading.Thread(target=patient)
        waits.start()
        waits.join(0.1)
        order.append("first")
    waits.join(10)
    assert order == ["first", "patient"]
    assert set(told) == {1}
    assert len(queue) == 0
