"""In the machine: servers for tests that are not kind to them.

Port 7 sends back what comes, of TCP and UDP; 80 speaks HTTP; 19 sends 1 MB; 13 never reads; 9 tells
what there is of everything (`account`), says which descriptors may be (`limit N`) and what streams
may hold (`memory N`), how many connections 7 and 13 have been given (`made`), ends what never
reads (`drop`), or everything (`end`).
"""

import asyncio
import gc
import json
import os
import resource
import socket
import sys
from pathlib import Path
from typing import Final

import _kernel

from ovum.net import service
from ovum.net.iface.sizes import sizes
from ovum.net.settings import SECOND
from ovum.services.main import call

LARGE = bytes(range(256)) * 4096


class Echo(asyncio.Protocol):
    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Echo.made += 1
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Large(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(LARGE)  # type: ignore[attr-defined]
        transport.close()


class Mute(asyncio.Protocol):
    made = 0
    open: Final[set[asyncio.BaseTransport]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Mute.made += 1
        transport.pause_reading()  # type: ignore[attr-defined]
        self.open.add(transport)


class Web(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self.request = b""

    def data_received(self, data: bytes) -> None:
        self.request += data
        while b"\r\n\r\n" in self.request:
            head, _, self.request = self.request.partition(b"\r\n\r\n")
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            if b"close" in head:
                self.transport.close()


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if address[1] >= 1024:
            self.transport.sendto(data, address)


class Control(asyncio.Protocol):
    def __init__(self, over: asyncio.Event) -> None:
        self.over = over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        word, _, number = data.decode().partition(" ")
        if word == "limit":
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (int(number), hard))
        elif word == "memory":
            call(set_memory, int(number))
        elif word == "drop":
            while Mute.open:
                Mute.open.pop().abort()  # type: ignore[attr-defined]
        elif word == "end":
            self.over.set()
        answer = account() if word != "made" else {"7": Echo.made, "13": Mute.made}
        self.transport.write(json.dumps(answer).encode())
        self.transport.close()


def account() -> dict[str, object]:
    """What there is of everything."""
    gc.collect()
    state = call(network_state)
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    tasks = len(Path("/proc/ovum/tasks").read_text().splitlines())
    return {
        "free": int(memory["MemFree"].split()[0]),
        "tasks": tasks,
        "descriptors": len(os.listdir("/proc/self/fd")),
        **state,
    }


async def network_state() -> dict[str, object]:
    """The state of the stack."""
    network = service.running()
    assert network is not None
    found: dict[str, object] = dict(sizes(network.stack))
    tcp = network.tcp
    found |= {
        "connections": len(tcp.table),
        "half_open": tcp.half_open,
        "time_waits": len(tcp.time_waits),
        "orphans": tcp.orphans,
        "endpoints": len(network.sockets.endpoints),
        "leaving": len(network.sockets.leaving),
        "held": tcp.memory.held(),
        "memory": tcp.settings.memory,
        "names": dict(network.stack.counters),
    }
    return found


async def set_memory(size: int) -> None:
    """Says what all streams may hold."""
    network = service.running()
    assert network is not None
    network.tcp.settings.memory = size
    _kernel.sockets_memory(size)


async def prepare() -> None:
    """Waits for the network, and makes waiting short."""
    network = service.running()
    assert network is not None
    await network.settled()
    settings = network.stack.settings
    settings.fragments_ns = 2 * SECOND
    settings.stale_ns = 2 * SECOND
    network.tcp.settings.time_wait = SECOND
    network.tcp.settings.syn_ack_retries = 1
    network.tcp.settings.retries_last = 3


async def serve() -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    for port, protocol in ((7, Echo), (13, Mute), (19, Large), (80, Web)):
        await loop.create_server(protocol, None, port, backlog=200)
    await loop.create_server(lambda: Control(over), None, 9)
    await loop.create_datagram_endpoint(Datagrams, ("::", 7), family=socket.AF_INET6)
    print("ready", flush=True)
    await over.wait()


def main() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    call(prepare)
    asyncio.run(serve())
    sys.stdout.flush()


main()
