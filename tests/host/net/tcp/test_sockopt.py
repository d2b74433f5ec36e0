"""The options of level TCP, and tcp_info."""

from __future__ import annotations

import struct
from errno import EINVAL, ENOENT, ENOPROTOOPT

import pytest

from ovum.net.tcp import info, sockopt
from ovum.net.tcp.settings import SocketOptions
from ovum.net.tcp.states import ESTABLISHED
from tests.host.net.tcp.simulator import SECOND, B, Net, connected, pair

INT = struct.Struct("<i")


@pytest.mark.parametrize(
    ("name", "value", "got"),
    [
        (sockopt.NODELAY, 5, 1),
        (sockopt.CORK, 1, 1),
        (sockopt.MAXSEG, 1000, 1000),
        (sockopt.KEEPIDLE, 10, 10),
        (sockopt.KEEPINTVL, 5, 5),
        (sockopt.KEEPCNT, 3, 3),
        (sockopt.SYNCNT, 2, 2),
        (sockopt.LINGER2, 7, 7),
        (sockopt.DEFER_ACCEPT, 4, 4),
        (sockopt.WINDOW_CLAMP, 5000, 5000),
        (sockopt.USER_TIMEOUT, 1500, 1500),
        (sockopt.NOTSENT_LOWAT, 16384, 16384),
    ],
)
def test_numbers_are_kept(name: int, value: int, got: int) -> None:
    options = SocketOptions()
    sockopt.set_option(0, name, INT.pack(value), options, None)
    assert INT.unpack(sockopt.get_option(0, name, 4, options, None)) == (got,)


def test_defaults_are_linuxs() -> None:
    options = SocketOptions()
    wanted = {
        sockopt.KEEPIDLE: 7200,
        sockopt.KEEPINTVL: 75,
        sockopt.KEEPCNT: 9,
        sockopt.SYNCNT: 6,
        sockopt.LINGER2: 60,
        sockopt.MAXSEG: 536,
        sockopt.NODELAY: 0,
    }
    for name, value in wanted.items():
        assert INT.unpack(sockopt.get_option(0, name, 4, options, None)) == (value,)
    assert sockopt.get_option(0, sockopt.CONGESTION, 16, options, None).rstrip(b"\0") == b"cubic"


@pytest.mark.parametrize(
    ("name", "value", "errno"),
    [
        (sockopt.KEEPIDLE, INT.pack(0), EINVAL),
        (sockopt.KEEPCNT, INT.pack(128), EINVAL),
        (sockopt.NODELAY, b"\1", EINVAL),
        (sockopt.CONGESTION, b"bbr", ENOENT),
        (23, INT.pack(5), ENOPROTOOPT),
    ],
)
def test_what_is_wrong_is_refused(name: int, value: bytes, errno: int) -> None:
    with pytest.raises(OSError) as caught:
        sockopt.set_option(0, name, value, SocketOptions(), None)
    assert caught.value.errno == errno


def test_options_of_a_child_are_its_own_once_set() -> None:
    net = Net()
    a, b = pair(net)
    acceptor = b.listen(80)
    a.connect(B, 80)
    a.connect(B, 80)
    net.until(lambda: len(acceptor.sockets) == 2)
    first, second = (socket.connection for socket in acceptor.sockets)
    assert first.options is second.options
    sockopt.set_option(net.now, sockopt.NODELAY, INT.pack(1), first.options, first)
    assert first.options.nodelay
    assert not second.options.nodelay
    assert not acceptor.listener.options.nodelay


def test_congestion_control_is_changed_on_the_way() -> None:
    net = Net()
    a, b = pair(net)
    socket, _ = connected(net, a, b)
    connection = socket.connection
    sockopt.set_option(net.now, sockopt.CONGESTION, b"reno", connection.options, connection)
    assert connection.cc.name == "reno"
    found = sockopt.get_option(net.now, sockopt.CONGESTION, 16, connection.options, connection)
    assert found.rstrip(b"\0") == b"reno"


def test_tcp_info_says_what_is() -> None:
    net = Net()
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    socket.write(bytes(5000))
    net.run(SECOND)
    peer.take()
    connection = socket.connection
    data = sockopt.get_option(net.now, sockopt.INFO, 256, connection.options, connection)
    assert len(data) == 232
    values = info.TCP_INFO.unpack(data)
    assert values[0] == ESTABLISHED
    assert values[5] == 7
    assert values[8 + 2] == connection.mss == 1448
    assert values[8 + 15] == connection.srtt // 1000
    assert values[8 + 18] == connection.cc.cwnd // 1448
    assert values[8 + 24 + 2] == 5000
    assert (
        len(sockopt.get_option(net.now, sockopt.INFO, 104, connection.options, connection)) == 104
    )
    assert info.describe(connection).startswith("ESTABLISHED")
    assert info.pack(None, 0)[0] == 7


def test_quick_acknowledgements_can_be_asked_for() -> None:
    net = Net()
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    connection = peer.connection
    sockopt.set_option(net.now, sockopt.QUICKACK, INT.pack(1), connection.options, connection)
    before = net.now
    socket.write(b"x")
    net.until(lambda: not socket.ring.send_queued())
    assert net.now - before == 2 * net.faults.delay
