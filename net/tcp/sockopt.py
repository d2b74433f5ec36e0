"""The options of level IPPROTO_TCP, as getsockopt(2) and setsockopt(2) have them: bytes."""

from __future__ import annotations

from errno import EINVAL, ENOENT, ENOPROTOOPT
from struct import Struct

from ovum.net.tcp import info, tx
from ovum.net.tcp.cc.base import NAMES
from ovum.net.tcp.settings import MS, SECOND
from ovum.net.tcp.states import CLOSED, TIME_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.settings import SocketOptions

NODELAY, MAXSEG, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT, SYNCNT, LINGER2 = 1, 2, 3, 4, 5, 6, 7, 8
DEFER_ACCEPT, WINDOW_CLAMP, INFO, QUICKACK, CONGESTION = 9, 10, 11, 12, 13
USER_TIMEOUT, TIMESTAMP, NOTSENT_LOWAT = 18, 24, 25
"""linux/tcp.h. Those that are not here are ENOPROTOOPT: fast open, MD5, repair, zero copy, …"""

INT = Struct("<i")

NUMBERS: dict[int, tuple[str, int, int, int]] = {
    NODELAY: ("nodelay", 1, -(1 << 31), 1 << 31),
    CORK: ("cork", 1, -(1 << 31), 1 << 31),
    MAXSEG: ("max_segment", 1, 88, 32767),
    KEEPIDLE: ("keep_idle", SECOND, 1, 32767),
    KEEPINTVL: ("keep_interval", SECOND, 1, 32767),
    KEEPCNT: ("keep_count", 1, 1, 127),
    SYNCNT: ("syn_count", 1, 1, 127),
    LINGER2: ("fin_timeout", SECOND, -(1 << 31), 1 << 31),
    DEFER_ACCEPT: ("defer_accept", SECOND, -(1 << 31), 1 << 31),
    WINDOW_CLAMP: ("window_clamp", 1, 0, 1 << 31),
    USER_TIMEOUT: ("user_timeout", MS, 0, 1 << 31),
    NOTSENT_LOWAT: ("notsent_lowat", 1, -(1 << 31), 1 << 31),
}
"""Attribute of SocketOptions, its unit, the least and the largest value."""


def set_option(
    now: int, name: int, value: bytes, options: SocketOptions, connection: Connection | None
) -> None:
    """Sets one: of a socket without a connection in `options`, otherwise the connection's.
    Raises OSError: ENOPROTOOPT, EINVAL, ENOENT (no such congestion control)."""
    if connection is not None:
        options = connection.change_options()
    if name == CONGESTION:
        text = value.split(b"\0", 1)[0].decode("ascii", "replace")
        if text not in NAMES:
            raise OSError(ENOENT, "no such congestion control")
        options.congestion = text
    else:
        if len(value) < 4:
            raise OSError(EINVAL, "an int is wanted")
        (number,) = INT.unpack_from(value)
        if name == QUICKACK:
            if connection is not None:
                _quick(now, connection, number)
            return
        if name not in NUMBERS:
            raise OSError(ENOPROTOOPT, "no such option")
        _set_number(name, number, options)
    if connection is not None:
        connection.apply_options(now)


def _set_number(name: int, number: int, options: SocketOptions) -> None:
    attribute, unit, least, most = NUMBERS[name]
    if name == MAXSEG and number == 0:
        options.max_segment = 0
        return
    if not least <= number <= most:
        raise OSError(EINVAL, "out of range")
    if name in (NODELAY, CORK):
        setattr(options, attribute, number != 0)
    else:
        setattr(options, attribute, max(number, 0) * unit)


def _quick(now: int, connection: Connection, number: int) -> None:
    """TCP_QUICKACK: acknowledges at once, also what is waiting to be; until it is switched off."""
    connection.quick = 1 << 30 if number else 0
    if number and connection.rcv_nxt != connection.last_ack_sent:
        connection.ack_now = True
        connection.written(now)


def get_option(
    now: int, name: int, size: int, options: SocketOptions, connection: Connection | None
) -> bytes:
    """What one is, size bytes at most. Raises OSError: ENOPROTOOPT."""
    if connection is not None:
        options = connection.options
    if name == INFO:
        return info.pack(connection, now)[:size]
    if name == CONGESTION:
        if connection is not None:
            return connection.cc.name.encode().ljust(16, b"\0")[:size]
        return (options.congestion or NAMES[0]).encode().ljust(16, b"\0")[:size]
    return INT.pack(_number(now, name, options, connection))[:size]


def _number(now: int, name: int, options: SocketOptions, connection: Connection | None) -> int:
    alive = connection is not None and connection.state not in (CLOSED, TIME_WAIT)
    if name == MAXSEG:
        if connection is not None and alive:
            return connection.mss
        return options.max_segment or 536
    if name == QUICKACK:
        return int(connection is None or connection.quick > 0)
    if name == TIMESTAMP:
        stamp = now // tx.MS + (0 if connection is None else connection.ts_offset)
        return (stamp & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
    if name not in NUMBERS:
        raise OSError(ENOPROTOOPT, "no such option")
    attribute, unit, _, _ = NUMBERS[name]
    value = int(getattr(options, attribute)) // unit
    if not value and connection is not None:
        return _default(name, connection)
    return value or _default(name, None)


def _default(name: int, connection: Connection | None) -> int:
    """The host's setting, where 0 means that."""
    if name == KEEPIDLE:
        return 7200 if connection is None else connection.host.settings.keep_idle // SECOND
    if name == KEEPINTVL:
        return 75 if connection is None else connection.host.settings.keep_interval // SECOND
    if name == KEEPCNT:
        return 9 if connection is None else connection.host.settings.keep_count
    if name == SYNCNT:
        return 6 if connection is None else connection.host.settings.syn_retries
    if name == LINGER2:
        return 60 if connection is None else connection.host.settings.fin_timeout // SECOND
    if name == NOTSENT_LOWAT:
        return -1
    return 0
