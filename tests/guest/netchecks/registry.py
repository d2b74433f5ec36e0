"""The list of all checks, and what several of them need."""

import contextlib
import errno
import select
import socket
from collections.abc import Callable, Iterator
from typing import Final

CHECKS: Final[dict[str, Callable[[], None]]] = {}

PATIENCE_S: Final = 30.0
"""How long anything may take that is to happen."""

LOOPBACK: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def check(function: Callable[[], None]) -> Callable[[], None]:
    """Registers a check; its name says what is true when it passes."""
    assert function.__name__ not in CHECKS, function.__name__
    CHECKS[function.__name__] = function
    return function


@contextlib.contextmanager
def refused(*numbers: int) -> Iterator[None]:
    """Fails unless the block raises OSError with one of these numbers."""
    try:
        yield
    except OSError as error:
        names = [errno.errorcode[number] for number in numbers]
        assert error.errno in numbers, f"{error!r}, not {' or '.join(names)}"
    else:
        raise AssertionError("no error")


@contextlib.contextmanager
def connected(
    family: int = socket.AF_INET,
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection over loopback: who connected, who accepted."""
    with listening(family) as listener, socket.socket(family) as client:
        client.settimeout(PATIENCE_S)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            server.settimeout(PATIENCE_S)
            yield client, server


@contextlib.contextmanager
def listening(family: int = socket.AF_INET, backlog: int = 5) -> Iterator[socket.socket]:
    """A listener at any port of loopback."""
    with socket.socket(family) as listener:
        listener.settimeout(PATIENCE_S)
        listener.bind((LOOPBACK[socket.AddressFamily(family)], 0))
        listener.listen(backlog)
        yield listener


@contextlib.contextmanager
def datagrams(family: int = socket.AF_INET, address: str = "") -> Iterator[socket.socket]:
    """A UDP socket at any port."""
    with socket.socket(family, socket.SOCK_DGRAM) as it:
        it.settimeout(PATIENCE_S)
        it.bind((address or LOOPBACK[socket.AddressFamily(family)], 0))
        yield it


_NAMES: Final = (
    ("in", select.POLLIN), ("out", select.POLLOUT), ("err", select.POLLERR),
    ("hup", select.POLLHUP), ("rdhup", select.POLLRDHUP),
)  # fmt: skip


def ready(it: socket.socket, *wanted: str) -> set[str]:
    """What poll(2) says of it; waits until `wanted` is among that."""
    poller = select.poll()
    found: set[str] = set()
    poller.register(it, select.POLLIN | select.POLLOUT | select.POLLRDHUP)
    events = dict(poller.poll(0)).get(it.fileno(), 0)
    if wanted and not {name for name, bit in _NAMES if events & bit} >= set(wanted):
        mask = 0
        for name, bit in _NAMES:
            mask |= bit if name in wanted else 0
        waiter = select.poll()
        waiter.register(it, mask)
        assert waiter.poll(PATIENCE_S * 1000), f"{wanted} never came, only {events:#x}"
        events = dict(poller.poll(0)).get(it.fileno(), 0)
    found.update(name for name, bit in _NAMES if events & bit)
    return found


def receive_all(it: socket.socket, count: int) -> bytes:
    """So many bytes of a stream."""
    data = b""
    while len(data) < count:
        more = it.recv(count - len(data))
        assert more, f"the end after {len(data)} of {count} bytes"
        data += more
    return data
