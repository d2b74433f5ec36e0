"""Socket options, and what comes of them."""

import errno
import socket
import struct
import time

from .registry import check, connected, datagrams, listening, refused

VALUES = (
    (socket.SOCK_STREAM, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    (socket.SOCK_STREAM, socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
    (socket.SOCK_STREAM, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.SOCK_STREAM, socket.SOL_SOCKET, socket.SO_OOBINLINE, 1),
    (socket.SOCK_DGRAM, socket.SOL_SOCKET, socket.SO_BROADCAST, 1),
    (socket.SOCK_STREAM, socket.SOL_SOCKET, socket.SO_RCVLOWAT, 7),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 33),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.TCP_CORK, 1),
    (socket.SOCK_STREAM, socket.IPPROTO_IP, socket.IP_TOS, 8),
    (socket.SOCK_STREAM, socket.IPPROTO_IP, socket.IP_TTL, 9),
    (socket.SOCK_DGRAM, socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 3),
    (socket.SOCK_DGRAM, socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0),
    (socket.SOCK_DGRAM, socket.IPPROTO_IP, 11, 1),  # IP_RECVERR
)


@check
def an_option_is_what_it_was_set_to() -> None:
    for kind, level, name, value in VALUES:
        with socket.socket(socket.AF_INET, kind) as it:
            it.setsockopt(level, name, value)
            got = it.getsockopt(level, name)
            assert got == value, (level, name, got)


@check
def buffers_are_given_twice() -> None:
    with socket.socket() as it:
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10_000)
        assert it.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 20_000
        it.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10_000)
        assert it.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 20_000


@check
def a_socket_says_what_it_is() -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        for kind, protocol in ((socket.SOCK_STREAM, 6), (socket.SOCK_DGRAM, 17)):
            with socket.socket(family, kind) as it:
                assert it.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == kind
                assert it.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == family
                assert it.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == protocol
                assert it.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
    with listening() as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


@check
def unknown_options_are_refused() -> None:
    with socket.socket() as it:
        for level in (socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP):
            with refused(errno.ENOPROTOOPT):
                it.setsockopt(level, 250, 1)
            with refused(errno.ENOPROTOOPT):
                it.getsockopt(level, 250)
        with refused(errno.EINVAL):
            it.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 0)


@check
def receiving_waits_as_long_as_was_said() -> None:
    with datagrams() as it:
        it.settimeout(None)
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 0, 50_000))
        begun = time.monotonic()
        with refused(errno.EAGAIN):
            it.recv(1)
        assert time.monotonic() - begun >= 0.05


@check
def a_connection_tells_of_itself() -> None:
    with connected() as (client, _):
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        assert info[0] == 1
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) > 500
        assert client.getsockopt(socket.IPPROTO_TCP, 13, 16).rstrip(b"\0")


@check
def accepted_connections_have_their_listeners_options() -> None:
    with listening() as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with socket.create_connection(listener.getsockname()):
            server, _ = listener.accept()
            with server:
                assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
                assert server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


@check
def two_listeners_share_a_port_if_both_say_so() -> None:
    with socket.socket() as one, socket.socket() as other:
        for it in (one, other):
            it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(("127.0.0.1", 0))
        one.listen()
        other.bind(one.getsockname())
        other.listen()


@check
def a_listener_for_ipv6_alone_leaves_the_port_to_ipv4() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6) as wide:
        with socket.create_server(("0.0.0.0", wide.getsockname()[1])):
            pass
        with refused(errno.EINVAL):
            wide.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
