"""What a request and its answer cost on a connection that stays: packets, and calls of Python."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Any

from ovum.drivers.frames import Received
from ovum.services.tasks.testing import run, settle

from .machine import pair
from .test_streams import connected

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + bytes(200)

RECEIVE_CALLS, SEND_CALLS = 24, 36
"""Python functions called at most; 16 and 34 when this was written."""


class Calls:
    """Counts the Python functions of ours that a block calls; models of tests are left out."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and "/tests/" not in name and not name.endswith("/ring.py"):
            self.names[f"{name}:{frame.f_code.co_name}"] += 1

    def __enter__(self) -> Calls:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    @property
    def count(self) -> int:
        return sum(self.names.values()) - 1  # __exit__ itself


def test_a_request_is_one_frame_its_answer_another_and_both_few_calls() -> None:
    async def main() -> None:
        one, other = await pair()
        _, client, server = await connected(one, other, "10.0.0.2")
        for _ in range(20):
            client.ring.send(REQUEST)
            await settle()
            assert server.ring.recv(1000) == REQUEST
            server.ring.send(ANSWER)
            await settle()
            assert client.ring.recv(1000) == ANSWER
        near, far = (machine.network.ports[0] for machine in (one, other))
        # The request's frame is caught, and comes by hand.
        near_card, far_card = (port.card for port in (near, far))
        near_card.peer = None  # type: ignore[attr-defined]
        sent = len(near_card.sent)  # type: ignore[attr-defined]
        client.ring.send(REQUEST)
        await settle()
        frames = [Received(data) for data in near_card.sent[sent:]]  # type: ignore[attr-defined]
        assert len(frames) == 1
        network = other.network
        sent = len(far_card.sent)  # type: ignore[attr-defined]
        now = network.now()
        with Calls() as receiving:
            network.stack.receive(now, far.interface, frames)
            network.settle(now)
        assert server.ring.recv(1000) == REQUEST
        server.ring.send(ANSWER)
        with Calls() as sending:
            network.sockets_changed()
        assert len(far_card.sent) - sent == 1  # type: ignore[attr-defined]
        assert receiving.count <= RECEIVE_CALLS, receiving.names
        assert sending.count <= SEND_CALLS, sending.names

    run(main)
