"""Timers."""

from __future__ import annotations

import random

from ovum.net.iface.timers import Timers


def test_timers_run_in_order_of_time_and_once() -> None:
    timers = Timers()
    ran: list[tuple[str, int]] = []
    for name, at in (("b", 20), ("a", 10), ("c", 20)):

        def action(now: int, name: str = name) -> None:
            ran.append((name, now))

        timers.new(action).set(at)
    assert timers.next_deadline() == 10
    timers.run(9)
    assert not ran
    timers.run(25)
    assert ran == [("a", 25), ("b", 25), ("c", 25)]
    assert timers.next_deadline() is None


def test_setting_anew_and_cancelling() -> None:
    timers = Timers()
    ran: list[int] = []
    timer = timers.new(ran.append)
    timer.set(10)
    timer.set(30)
    timer.set_earlier(40)
    assert timers.next_deadline() == 30
    timer.set_earlier(20)
    timers.run(15)
    assert not ran
    timers.run(20)
    timers.run(50)
    assert ran == [20]
    timer.set(60)
    timer.cancel()
    assert timers.next_deadline() is None


def test_a_timer_that_sets_itself_for_now_does_not_hang() -> None:
    timers = Timers()
    ran: list[int] = []

    def again(now: int) -> None:
        ran.append(now)
        timer.set(now)

    timer = timers.new(again)
    timer.set(5)
    timers.run(5)
    assert ran == [5]
    assert timers.next_deadline() == 5


def test_one_that_is_cancelled_by_another_does_not_run() -> None:
    timers = Timers()
    ran: list[int] = []
    second = timers.new(ran.append)
    first = timers.new(lambda now: second.cancel())
    first.set(5)
    second.set(6)
    timers.run(10)
    assert not ran


def test_the_heap_does_not_grow_with_settings() -> None:
    timers = Timers()
    rng = random.Random(1)
    many = [timers.new(lambda now: None) for _ in range(100)]
    for _ in range(20_000):
        rng.choice(many).set(rng.randrange(1, 1 << 40))
    assert len(timers._heap) < 1000
    live = sorted(timer.at for timer in many)
    assert timers.next_deadline() == live[0]
