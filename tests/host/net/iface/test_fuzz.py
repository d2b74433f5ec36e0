"""Random and mutated frames into the whole Internet layer (tests/fuzz/stack.py): nothing is raised,
nothing hangs, no state grows beyond its bounds."""

from __future__ import annotations

import random

import pytest

from ovum.drivers.frames import Received
from tests.fuzz import stack
from tests.fuzz.mutate import mutated

from .lab import udp_frame


@pytest.mark.parametrize("seed", range(8))
def test_mutated_frames_are_taken_or_counted(seed: int) -> None:
    rng = random.Random(seed)
    world = stack.World(seed)
    for _ in range(2500):
        data = mutated(rng, stack.SEEDS)
        world.step(stack.repaired(data) if rng.random() < 0.9 else data)
    world.check()
    assert sum(world.stack.counters.values()) > 500


def test_random_bytes_are_counted() -> None:
    rng = random.Random(0)
    world = stack.World(0)
    for _ in range(5000):
        world.step(rng.randbytes(rng.randrange(200)))
    world.check()


def test_every_sample_as_it_is_does_something() -> None:
    for sample in stack.SEEDS:
        world = stack.World(0)
        world.stack.poll(world.now)
        world.link.take_outbox(world.now)
        world.step(sample)
        assert (
            world.stack.counters
            or world.link.outbox
            or len(world.queue)
            or len(world.stack.reassembler)
            or world.link.arp.entries
            or world.link.nd.entries
        )


def test_a_storm_passes_and_the_service_answers() -> None:
    """After a flood of all kinds at once, what was there is there, and memory is what it was."""
    rng = random.Random(1)
    world = stack.World(0)
    for _ in range(5000):
        world.step(stack.repaired(mutated(rng, stack.SEEDS)))
    if not world.link.up:
        world.stack.link_changed(world.now, world.link, True)
    for _ in range(2000):
        deadline = world.stack.next_deadline()
        if deadline is None:
            break
        world.now = max(world.now, deadline)
        world.stack.poll(world.now)
        world.link.take_outbox(world.now)
    assert world.stack.reassembler.memory == 0
    while world.queue.take():
        pass
    world.link.take_outbox(world.now)
    world.stack.receive(world.now, world.link, [Received(udp_frame(b"alive?", 53))])
    datagram = world.queue.take()
    assert datagram is not None
    assert datagram[2] == b"alive?"
