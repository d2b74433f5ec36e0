"""UDP over loopback."""

import errno
import socket
import struct

from .registry import LOOPBACK, PATIENCE_S, check, datagrams, ready, refused

IP_RECVERR, IPV6_RECVERR = 11, 25
FAMILIES = (socket.AF_INET, socket.AF_INET6)


@check
def datagrams_keep_their_borders_and_their_senders() -> None:
    for family in FAMILIES:
        with datagrams(family) as one, datagrams(family) as other:
            for size in (0, 1, 1400, 9000, 60000):
                one.sendto(b"x" * size, other.getsockname())
                assert other.recvfrom(65536) == (b"x" * size, one.getsockname())


@check
def a_datagram_is_cut_to_the_room_and_says_so() -> None:
    with datagrams() as one, datagrams() as other:
        one.sendto(b"0123456789", other.getsockname())
        data, _, flags, source = other.recvmsg(4)
        assert (data, flags, source) == (b"0123", socket.MSG_TRUNC, one.getsockname())
        one.sendto(b"0123456789", other.getsockname())
        assert other.recv_into(bytearray(4), 4, socket.MSG_PEEK | socket.MSG_TRUNC) == 10
        assert other.recv(100) == b"0123456789"


@check
def a_connected_socket_hears_its_peer_only_and_of_refusals() -> None:
    with datagrams() as one, datagrams() as stranger:
        with datagrams() as other:
            one.connect(other.getsockname())
            assert one.getpeername() == other.getsockname()
            stranger.sendto(b"no", one.getsockname())
            other.sendto(b"yes", one.getsockname())
            assert one.recv(100) == b"yes"
            assert ready(one) == {"out"}
        one.send(b"nobody")
        assert "err" in ready(one, "err")
        with refused(errno.ECONNREFUSED):
            one.recv(1)


@check
def what_cannot_be_sent_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        with refused(errno.EDESTADDRREQ):
            it.send(b"x")
        with refused(errno.EMSGSIZE):
            it.sendto(b"x" * 65508, ("127.0.0.1", 9))
        with refused(errno.EINVAL):
            it.sendto(b"x", ("127.0.0.1", 0))
        with refused(errno.ENOTCONN):
            it.getpeername()


@check
def what_only_the_stack_knows_is_refused_by_the_call_itself() -> None:
    with datagrams() as other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        for _ in range(2):
            with refused(errno.EACCES):
                it.sendto(b"to all", ("127.255.255.255", 9))
        it.sendto(b"to one", other.getsockname())
        assert other.recv(100) == b"to one"
        it.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        it.sendto(b"to all", ("127.255.255.255", 9))
        # What was said before an option was set is forgotten.
        it.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 0)
        with refused(errno.EACCES):
            it.sendto(b"to all", ("127.255.255.255", 9))
        assert it.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as it:
        it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        with refused(errno.ENETUNREACH):
            it.sendto(b"x", ("::ffff:127.0.0.1", 9))


def _queued_error(it: socket.socket) -> tuple[bytes, tuple[str, int], int, tuple[int, ...], bytes]:
    """What is first in the queue of errors: data, destination, level, struct sock_extended_err, and
    the address of who has sent it."""
    data, controls, flags, destination = it.recvmsg(100, 100, socket.MSG_ERRQUEUE)
    assert flags == socket.MSG_ERRQUEUE
    ((level, kind, value),) = controls
    assert kind == {socket.IPPROTO_IP: IP_RECVERR, socket.IPPROTO_IPV6: IPV6_RECVERR}[level]
    offender = value[20:24] if level == socket.IPPROTO_IP else value[24:40]
    return data, destination[:2], level, struct.unpack_from("IBBBBII", value), offender


@check
def errors_are_queued_for_who_asks_for_them() -> None:
    for family, level, option, message in (
        (socket.AF_INET, socket.IPPROTO_IP, IP_RECVERR, (2, 3, 3)),
        (socket.AF_INET6, socket.IPPROTO_IPV6, IPV6_RECVERR, (3, 1, 4)),
    ):
        with datagrams(family) as it:
            it.setblocking(False)
            with refused(errno.EAGAIN):
                it.recvmsg(100, 100, socket.MSG_ERRQUEUE)
            it.setsockopt(level, option, 1)
            gone = []
            for data in (b"one", b"two"):
                with datagrams(family) as other:
                    gone.append(other.getsockname())
                it.sendto(data, gone[-1])
                # The call fails, too: here it is not one of the next calls that does.
                assert "err" in ready(it, "err")
                assert it.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
            expected = (errno.ECONNREFUSED, *message, 0, 0, 0)
            offender = socket.inet_pton(family, LOOPBACK[family])
            for data, destination in zip((b"one", b"two"), gone, strict=True):
                assert "err" in ready(it)
                found = _queued_error(it)
                assert found == (data, destination[:2], level, expected, offender), found
            assert ready(it) == {"out"}
            assert it.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@check
def control_messages_tell_where_a_datagram_came_to() -> None:
    with datagrams(address="0.0.0.0") as one, datagrams() as other:
        for name in (socket.IP_RECVTOS, 8, 12):  # IP_PKTINFO, IP_RECVTTL
            one.setsockopt(socket.SOL_IP, name, 1)
        other.setsockopt(socket.SOL_IP, socket.IP_TTL, 33)
        other.setsockopt(socket.SOL_IP, socket.IP_TOS, 0x10)
        other.sendto(b"x", ("127.0.0.1", one.getsockname()[1]))
        _, control, _, _ = one.recvmsg(10, 200)
        found = {kind: data for level, kind, data in control if level == socket.SOL_IP}
        interface, _, destination = struct.unpack("i4s4s", found[8])
        assert socket.if_indextoname(interface) == "lo"
        assert destination == bytes((127, 0, 0, 1))
        assert struct.unpack("i", found[socket.IP_TTL]) == (33,)
        assert found[socket.IP_TOS] == b"\x10"


@check
def control_messages_of_ipv6() -> None:
    with datagrams(socket.AF_INET6, "::") as one, datagrams(socket.AF_INET6) as other:
        for name in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
            one.setsockopt(socket.IPPROTO_IPV6, name, 1)
        hops = (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, struct.pack("i", 9))
        other.sendmsg([b"x"], [hops], 0, ("::1", one.getsockname()[1]))
        _, control, _, _ = one.recvmsg(10, 200)
        found = {kind: data for level, kind, data in control if level == socket.IPPROTO_IPV6}
        assert found[socket.IPV6_PKTINFO][:16] == bytes(15) + b"\1"
        assert struct.unpack("i", found[socket.IPV6_HOPLIMIT]) == (9,)
        assert struct.unpack("i", found[socket.IPV6_TCLASS]) == (0,)


@check
def control_messages_that_cannot_be_are_refused_by_the_call_itself() -> None:
    integer = struct.Struct("i").pack
    bad4 = [
        (socket.IPPROTO_IP, socket.IP_TTL, integer(0)),
        (socket.IPPROTO_IP, socket.IP_TTL, integer(256)),
        (socket.IPPROTO_IP, socket.IP_TTL, b"\1"),
        (socket.IPPROTO_IP, 8, bytes(11)),  # IP_PKTINFO
        (socket.IPPROTO_IP, 99, integer(1)),
    ]
    bad6 = [
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, integer(1) + b"\0"),
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, integer(256)),
        (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, integer(-2)),
        (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, bytes(19)),
    ]
    for family, all_bad in zip(FAMILIES, (bad4, bad6), strict=True):
        with datagrams(family) as one, datagrams(family) as other:
            for bad in all_bad:
                with refused(errno.EINVAL):
                    one.sendmsg([b"x"], [bad], 0, other.getsockname())
            default = (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, integer(-1))
            one.sendmsg([b"y"], [default] * (family == FAMILIES[1]), 0, other.getsockname())
            assert other.recv(10) == b"y"


@check
def a_dual_stack_socket_speaks_with_both() -> None:
    with datagrams(socket.AF_INET6, "::") as wide:
        port = wide.getsockname()[1]
        for family in FAMILIES:
            with datagrams(family) as it:
                it.sendto(b"q", (LOOPBACK[family], port))
                data, source = wide.recvfrom(10)
                wide.sendto(data, source)
                assert it.recvfrom(10)[0] == b"q"


@check
def members_of_a_group_hear_it() -> None:
    group, own = "239.7.7.7", "127.0.0.1"
    request = socket.inet_aton(group) + socket.inet_aton(own)
    with datagrams(address="0.0.0.0") as one, datagrams() as other:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        other.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
        other.sendto(b"all", (group, one.getsockname()[1]))
        assert one.recvfrom(10) == (b"all", other.getsockname())
        with refused(errno.EADDRINUSE):
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, request)
        with refused(errno.EADDRNOTAVAIL):
            one.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, request)


@check
def a_thousand_datagrams_come_in_order() -> None:
    with datagrams() as one, datagrams() as other:
        for number in range(1000):
            one.sendto(number.to_bytes(4, "little"), other.getsockname())
            assert other.recv(10) == number.to_bytes(4, "little")


@check
def pings_are_answered() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as it:
        it.settimeout(PATIENCE_S)
        request = bytes((8, 0)) + (0xFFFF - 0x0800 - 7 - 1).to_bytes(2, "big") + bytes((0, 7, 0, 1))
        it.sendto(request, ("127.0.0.1", 0))
        while True:
            packet, source = it.recvfrom(1000)
            assert source[0] == "127.0.0.1"
            message = packet[(packet[0] & 15) * 4 :]
            if message[0] == 0 and message[4:6] == bytes((0, 7)):
                break
