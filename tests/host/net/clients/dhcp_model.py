"""A DHCP server and a link to it, over a virtual clock."""

from collections.abc import Callable
from random import Random

from ovum.net.clients.dhcp import DhcpClient
from ovum.net.clients.lease import Lease
from ovum.net.counters import Counters
from ovum.net.wire import addr, dhcpv4
from ovum.net.wire.dhcpv4 import Message

SECOND = 1_000_000_000
MAC = bytes.fromhex("525400123456")
EVERYBODY = b"\xff\xff\xff\xff"
NOBODY = bytes(4)
SERVER = addr.parse("192.0.2.1")
OTHER = addr.parse("192.0.2.2")
FIRST = addr.parse("192.0.2.100")

KINDS = {
    1: "DISCOVER", 2: "OFFER", 3: "REQUEST", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE"
}  # fmt: skip

Change = Callable[[Message], Message | None]


class Server:
    """Gives addresses from its first on. `change` may make of an answer whatever it likes."""

    def __init__(self, identifier: bytes = SERVER, first: bytes = FIRST) -> None:
        self.identifier = identifier
        self.next = first
        self.lease_s = 3600
        self.options: dict[int, bytes] = {
            dhcpv4.SUBNET_MASK: addr.mask(24),
            dhcpv4.ROUTERS: SERVER,
        }
        self.given: dict[bytes, bytes] = {}
        """The MAC that has an address."""
        self.silent = False
        self.refuses = False
        self.change: Change = lambda message: message

    def answer(self, message: Message) -> Message | None:
        """What it says to a message."""
        if self.silent:
            return None
        options = message.options
        if message.kind == dhcpv4.DISCOVER:
            return self._reply(message, dhcpv4.OFFER, self.next)
        if message.kind == dhcpv4.DHCP_REQUEST:
            chosen = options.get(dhcpv4.SERVER_ID)
            if chosen is not None and chosen != self.identifier:
                return None
            wanted = options.get(dhcpv4.REQUESTED_ADDRESS, message.client_address)
            known = self.given.get(wanted) == message.mac or wanted == self.next
            if self.refuses or not known:
                return self._reply(message, dhcpv4.NAK, NOBODY)
            self.given[wanted] = message.mac
            return self._reply(message, dhcpv4.ACK, wanted)
        if message.kind == dhcpv4.DECLINE:
            # Somebody else's: the next one, then.
            self.given[options[dhcpv4.REQUESTED_ADDRESS]] = b"somebody"
            self.next = (int.from_bytes(self.next, "big") + 1).to_bytes(4, "big")
        elif message.kind == dhcpv4.RELEASE:
            self.given.pop(message.client_address, None)
        return None

    def _reply(self, message: Message, kind: int, address: bytes) -> Message | None:
        options = {dhcpv4.MESSAGE_TYPE: bytes((kind,)), dhcpv4.SERVER_ID: self.identifier}
        if kind != dhcpv4.NAK:
            options[dhcpv4.LEASE_TIME] = self.lease_s.to_bytes(4, "big")
            options.update(self.options)
        return self.change(
            Message(dhcpv4.REPLY, message.xid, message.mac, options, address=address)
        )


class Link:
    """A client, servers, and the time between them; the client's user."""

    def __init__(self, *servers: Server, seed: int = 1, hostname: str = "") -> None:
        self.now = 1000 * SECOND
        self.begun = self.now
        self.servers = servers
        self.counters = Counters()
        self.sent: list[tuple[float, Message, bytes, bytes]] = []
        """When (seconds from the beginning), what, from, to."""
        self.told: list[str] = []
        self.leases: list[Lease] = []
        self.delay = SECOND // 1000
        self._coming: list[tuple[int, bytes]] = []
        self.client = DhcpClient(MAC, Random(seed), self.counters, self, hostname)

    # The client's user

    def send_dhcp(self, now: int, data: bytes, source: bytes, destination: bytes) -> None:
        assert now == self.now
        assert len(data) >= 300
        message = dhcpv4.parse(data)
        assert next(iter(message.options)) == dhcpv4.MESSAGE_TYPE
        self.sent.append(((now - self.begun) / SECOND, message, source, destination))
        for server in self.servers:
            if destination in (EVERYBODY, server.identifier):
                reply = server.answer(message)
                if reply is not None:
                    self._coming.append((now + self.delay, dhcpv4.emit(reply)))

    def bound(self, now: int, lease: Lease) -> None:
        self.told.append(f"bound {addr.text(lease.address)}")
        self.leases.append(lease)

    def lost(self, now: int, lease: Lease, reason: str) -> None:
        self.told.append(f"lost {addr.text(lease.address)}: {reason}")

    def unanswered(self, now: int, tries: int) -> None:
        self.told.append(f"unanswered {tries}")

    # For tests

    def run(self, seconds: float) -> None:
        """Lets this much time pass."""
        end = self.now + int(seconds * SECOND)
        steps = 0
        while True:
            times = [at for at, _ in self._coming]
            if self.client.deadline is not None:
                times.append(self.client.deadline)
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            due = [data for at, data in self._coming if at <= self.now]
            self._coming = [one for one in self._coming if one[0] > self.now]
            for data in due:
                self.client.receive(self.now, data)
            before = self.client.deadline
            self.client.poll(self.now)
            steps += 1
            assert steps < 10_000, "it does not come to rest"
            if not due and before == self.client.deadline:
                raise AssertionError(f"{self.client} has something to do, and does nothing")
        self.now = end

    def take(self) -> list[str]:
        """What the client has told since the last time."""
        told, self.told = self.told, []
        return told

    def take_sent(self) -> list[str]:
        """The kinds of the messages that have gone out since the last time, and where to."""
        sent, self.sent = self.sent, []
        return [
            f"{KINDS[message.kind]} to {'all' if to == EVERYBODY else addr.text(to)}"
            for _, message, _, to in sent
        ]


def started(*servers: Server, seed: int = 1, hostname: str = "") -> Link:
    """A link whose client has begun."""
    link = Link(*servers, seed=seed, hostname=hostname)
    link.client.start(link.now)
    return link


def bound(server: Server) -> Link:
    """A link whose client has a lease."""
    link = started(server)
    link.run(1)
    assert link.take() == ["bound 192.0.2.100"]
    assert link.take_sent() == ["DISCOVER to all", "REQUEST to all"]
    return link
