"""A DHCP client (RFC 2131, 4.4): its states. It neither sends nor sleeps.

The address is used as soon as the server has given it, and tested by ARP meanwhile: to wait for
that test first, as RFC 2131 (4.4.1) advises, takes 4 to 7 seconds (RFC 5227, 1.1), a hundred times
what a boot takes, and servers test addresses themselves before they offer them. One that turns out
to be somebody else's is given up at once, and declined: the user calls `conflict`.
"""

from __future__ import annotations

from ovum.net.clients.lease import WANTED, is_usable, lease_of
from ovum.net.wire import dhcpv4
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ovum.net.clients.lease import Lease
    from ovum.net.counters import Counters
    from ovum.net.wire.dhcpv4 import Message

    class Random(Protocol):
        """The part of random.Random that is needed."""

        def getrandbits(self, count: int, /) -> int: ...
        def uniform(self, least: float, most: float, /) -> float: ...

    class DhcpUser(Protocol):
        """Who runs the client."""

        def send_dhcp(self, now: int, data: bytes, source: bytes, destination: bytes) -> None:
            """Sends a message from port 68 to port 67."""

        def bound(self, now: int, lease: Lease) -> None:
            """The machine has this lease: a new one, or the one that it had, renewed."""

        def lost(self, now: int, lease: Lease, reason: str) -> None:
            """It has it no longer: its address must not be used from now on."""

        def unanswered(self, now: int, tries: int) -> None:
            """Nobody has answered the first, second, … call for a server."""


STOPPED, INIT, SELECTING, REQUESTING, REBOOTING, BOUND, RENEWING, REBINDING = range(8)
NAMES = (
    "stopped", "init", "selecting", "requesting", "rebooting", "bound", "renewing", "rebinding",
)  # fmt: skip

SECOND = 1_000_000_000
NOBODY = b"\0\0\0\0"
EVERYBODY = b"\xff\xff\xff\xff"

ETHERNET = b"\x01"
"""The type of hardware in front of an address (RFC 2132, 9.14)."""

REQUEST_TRIES = 4
"""RFC 2131, 3.1 (5): four times, 60 seconds in all."""
REBOOT_TRIES = 2
RETRY_FIRST_S, RETRY_MAX_S = 4, 64
"""RFC 2131, 4.1."""
RENEW_RETRY_NS = 60 * SECOND
"""At least, between two requests to renew (RFC 2131, 4.4.5)."""
PAUSE_FIRST_S, PAUSE_MAX_S = 10, 320
"""After an address was declined (RFC 2131, 3.1 (5)) or a NAK; doubled for each in a row."""


class DhcpClient:
    """One interface's. `deadline` is when `poll` has something to do; None: never."""

    def __init__(
        self, mac: bytes, rng: Random, counters: Counters, user: DhcpUser, hostname: str = ""
    ) -> None:
        self.state = STOPPED
        self.deadline: int | None = None
        self.lease: Lease | None = None
        """What the machine may use now."""
        self.expires: int | None = None
        """When it must not any more; None: it always may."""
        self.longest_message = 1500
        """That may come, with its headers: the link's MTU."""
        self._mac = mac
        self._rng = rng
        self._counters = counters
        self._user = user
        self._hostname = hostname.encode("ascii")
        self._link = True
        self._xid = 0
        self._began = 0
        """When it began to look for an address, for the field `secs`."""
        self._sent_at = 0
        """When the latest request went out: the lease counts from then."""
        self._tries = 0
        self._failures = 0
        """NAKs and conflicts in a row."""
        self._offered = NOBODY
        self._server = NOBODY
        self._renew_at = 0
        self._rebind_at = 0

    def __repr__(self) -> str:
        return f"<DHCP client: {NAMES[self.state]}, {self.lease}>"

    # For its user

    def start(self, now: int) -> None:
        """Looks for a server, when there is a cable."""
        if self.state != STOPPED:
            return
        if self._link:
            self._search(now)
        else:
            self._enter(INIT, None)

    def stop(self, now: int, reason: str = "stopped") -> None:
        """Does nothing any more; a lease is lost."""
        self._lose(now, reason)
        self._enter(STOPPED, None)

    def release(self, now: int) -> None:
        """Gives the address back (RFC 2131, 4.4.6), and stops."""
        lease = self.lease
        if lease is not None:
            self._send(
                now, dhcpv4.RELEASE, {dhcpv4.SERVER_ID: lease.server}, lease.address, lease.server
            )
        self.stop(now, "released")

    def link_up(self, now: int) -> None:
        """There is a cable again, maybe another: asks whether the address is good there
        (RFC 2131, 3.2), or for one."""
        self._link = True
        if self.state == STOPPED:
            return
        if self.lease is None:
            self._search(now)
            return
        self._begin_request(now, self.lease.address, self.lease.server, REBOOTING)
        self._send_request(now)

    def link_down(self) -> None:
        """There is no cable: nothing is asked until there is. A lease goes on until it expires."""
        self._link = False
        if self.state == STOPPED:
            return
        if self.lease is None:
            self._enter(INIT, None)
        else:
            self._enter(BOUND, None)

    def conflict(self, now: int) -> None:
        """Somebody else has our address: it is declined (RFC 2131, 3.1 (5))."""
        lease = self.lease
        if lease is None:
            return
        self._counters.count("dhcp_declined")
        self._lose(now, "somebody else has it")
        told = {
            dhcpv4.REQUESTED_ADDRESS: lease.address,
            dhcpv4.SERVER_ID: lease.server,
            dhcpv4.MESSAGE: b"somebody else has it",
        }
        self._new_xid()
        self._send(now, dhcpv4.DECLINE, told, NOBODY, EVERYBODY)
        self._pause(now, PAUSE_FIRST_S << self._failures)

    def receive(self, now: int, data: bytes | bytearray | memoryview) -> None:
        """A datagram for port 68. Whatever it is: nothing is raised; what is no good is counted."""
        reason = self._receive(now, data)
        if reason:
            self._counters.count(reason)

    def poll(self, now: int) -> None:
        """Does what is due."""
        if self.deadline is None or now < self.deadline:
            return
        if self.expires is not None and now >= self.expires:
            self._lose(now, "expired")
            if self._link:
                self._search(now)
            else:
                self._enter(INIT, None)
        elif self.state == INIT:
            self._search(now)
        elif self.state == SELECTING:
            self._tries += 1
            # Before the next message: whoever is told may stop us.
            self._user.unanswered(now, self._tries)
            if self.state == SELECTING:
                self._discover(now)
        elif self.state == REQUESTING or self.state == REBOOTING:
            self._request_again(now)
        else:
            self._renew(now)

    # What comes

    def _receive(self, now: int, data: bytes | bytearray | memoryview) -> str:
        """Empty, or the name of the counter for what is wrong."""
        try:
            message = dhcpv4.parse(data)
        except WireError as error:
            return error.reason
        if message.op != dhcpv4.REPLY or message.mac != self._mac:
            return "dhcp_not_for_us"
        if message.xid != self._xid or self.state in (STOPPED, INIT, BOUND):
            return "dhcp_not_asked_for"
        kind = message.kind
        server = dhcpv4.address(message.options, dhcpv4.SERVER_ID)
        if server is None or not is_usable(server):
            return "dhcp_server_missing"
        if self.state == SELECTING:
            if kind != dhcpv4.OFFER:
                return "dhcp_not_asked_for"
            return self._offer(now, message, server)
        if kind not in (dhcpv4.ACK, dhcpv4.NAK):
            return "dhcp_not_asked_for"
        if self.state in (REQUESTING, RENEWING) and server != self._server:
            return "dhcp_server_other"
        if kind == dhcpv4.NAK:
            self._counters.count("dhcp_refused")
            self._lose(now, "the server has refused it")
            # At once for the first time: we have come to another network.
            self._pause(now, PAUSE_FIRST_S << self._failures if self._failures else 0)
            return ""
        return self._ack(now, message, server)

    def _offer(self, now: int, message: Message, server: bytes) -> str:
        if not is_usable(message.address):
            return "dhcp_address_bad"
        # The first one will do: to wait for others, and to choose, has no use.
        self._begin_request(now, message.address, server, REQUESTING, self._xid)
        self._send_request(now)
        return ""

    def _ack(self, now: int, message: Message, server: bytes) -> str:
        if message.address != self._offered:
            return "dhcp_address_other"
        lease = lease_of(message.address, server, message.options, self._counters)
        if lease is None:
            return "dhcp_ack_useless"
        self._failures = 0
        self.lease = lease
        self._server = server
        if lease.lease_s == dhcpv4.FOREVER_S:
            self.expires = None
            self._enter(BOUND, None)
        else:
            # Somewhat early, and not all machines at once (RFC 2131, 4.4.5).
            self._renew_at = self._sent_at + self._fuzzy(lease.renew_s)
            self._rebind_at = self._sent_at + self._fuzzy(lease.rebind_s)
            self._rebind_at = max(self._rebind_at, self._renew_at)
            self.expires = self._sent_at + lease.lease_s * SECOND
            self._enter(BOUND, self._renew_at)
        self._user.bound(now, lease)
        return ""

    def _fuzzy(self, seconds: int) -> int:
        return int(seconds * SECOND * self._rng.uniform(0.95, 1.0))

    # What is due

    def _search(self, now: int) -> None:
        self._began = now
        self._tries = 0
        self._new_xid()
        self._discover(now)

    def _discover(self, now: int) -> None:
        self._enter(SELECTING, now + self._retry_ns())
        self._send(now, dhcpv4.DISCOVER, {}, NOBODY, EVERYBODY)

    def _begin_request(
        self, now: int, address: bytes, server: bytes, state: int, xid: int | None = None
    ) -> None:
        if state != REQUESTING:
            self._began = now
        self._offered, self._server = address, server
        self._tries = 0
        if xid is None:
            self._new_xid()
        self.state = state

    def _request_again(self, now: int) -> None:
        self._tries += 1
        if self._tries < (REQUEST_TRIES if self.state == REQUESTING else REBOOT_TRIES):
            self._send_request(now)
        elif self.state == REQUESTING:
            self._counters.count("dhcp_request_unanswered")
            self._search(now)
        else:
            # Nobody is there, or knows anything of the address: it stays good until it expires
            # (RFC 2131, 3.2 (3)).
            self._counters.count("dhcp_reboot_unanswered")
            self._enter(BOUND, self._renew_at)

    def _send_request(self, now: int) -> None:
        options = {dhcpv4.REQUESTED_ADDRESS: self._offered}
        if self.state == REQUESTING:
            options[dhcpv4.SERVER_ID] = self._server
        self._enter(self.state, now + self._retry_ns())
        self._send(now, dhcpv4.DHCP_REQUEST, options, NOBODY, EVERYBODY)

    def _renew(self, now: int) -> None:
        """Asks the server, from T2 on any server, whether the lease may be longer. The pauses are
        halves of the time that is left (RFC 2131, 4.4.5)."""
        lease = self.lease
        assert lease is not None
        if self.expires is None:
            self._enter(BOUND, None)
            return
        rebind = now >= self._rebind_at
        state = REBINDING if rebind else RENEWING
        if state != self.state:
            self._begin_request(now, lease.address, lease.server, state)
        end = self.expires if rebind else self._rebind_at
        self._enter(state, min(end, now + max((end - now) // 2, RENEW_RETRY_NS)))
        self._send(
            now, dhcpv4.DHCP_REQUEST, {}, lease.address, EVERYBODY if rebind else lease.server
        )

    # What goes

    def _send(
        self, now: int, kind: int, options: dict[int, bytes], source: bytes, destination: bytes
    ) -> None:
        everything = {
            dhcpv4.MESSAGE_TYPE: bytes((kind,)),
            dhcpv4.CLIENT_ID: ETHERNET + self._mac,
            **options,
        }
        if kind in (dhcpv4.DISCOVER, dhcpv4.DHCP_REQUEST):
            everything[dhcpv4.PARAMETERS] = WANTED
            everything[dhcpv4.MAX_SIZE] = self.longest_message.to_bytes(2, "big")
            if self._hostname:
                everything[dhcpv4.HOST_NAME] = self._hostname
        self._sent_at = now
        # DECLINE and an address that is asked for: without one of ours (RFC 2131, table 5).
        message = dhcpv4.Message(
            dhcpv4.REQUEST,
            self._xid,
            self._mac,
            everything,
            seconds=min((now - self._began) // SECOND, 0xFFFF),
            # Without an address, answers that are for one do not come through.
            broadcast=source == NOBODY and kind != dhcpv4.DECLINE,
            client_address=source,
        )
        data = dhcpv4.emit(message)
        self._user.send_dhcp(now, data, source, destination)

    # States

    def _enter(self, state: int, deadline: int | None) -> None:
        self.state = state
        expires = self.expires
        self.deadline = expires if deadline is None else deadline
        if expires is not None and deadline is not None:
            self.deadline = min(deadline, expires)

    def _lose(self, now: int, reason: str) -> None:
        lease, self.lease, self.expires = self.lease, None, None
        if lease is not None:
            self._user.lost(now, lease, reason)

    def _pause(self, now: int, pause_s: int) -> None:
        """Begins anew after a while: a server that refuses what it offers would keep us busy."""
        self._failures = min(self._failures + 1, 8)
        self._enter(INIT, now + min(pause_s, PAUSE_MAX_S) * SECOND)

    def _retry_ns(self) -> int:
        """4 s, 8 s, … 64 s, each a second more or less (RFC 2131, 4.1)."""
        seconds = min(RETRY_FIRST_S << min(self._tries, 8), RETRY_MAX_S)
        return int((seconds + self._rng.uniform(-1.0, 1.0)) * SECOND)

    def _new_xid(self) -> None:
        self._xid = self._rng.getrandbits(32)
