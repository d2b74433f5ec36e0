"""What can be set: of the whole host, and of one socket. The defaults are Linux's."""

from __future__ import annotations

MS = 1_000_000
SECOND = 1_000_000_000

SEND_BUFFER = 256 * 1024
"""What a program may write ahead unless it says."""

LEAST_BUFFER = 4096
"""What every connection may receive, and its program write ahead, though memory is short: the
kernel's RING_LEAST."""

CONNECTION = 15 * 1024
"""What a connection takes at most when memory is short: itself, with what the program has for it,
and LEAST_BUFFER each way."""


class Settings:
    """Of a TcpHost. Times are ns, sizes bytes."""

    __slots__ = (
        "challenge_acks", "congestion", "connections", "fin_timeout", "keep_count", "keep_idle",
        "keep_interval", "local_ports", "max_rto", "memory", "min_rto", "orphans", "reassembly",
        "receive_initial", "receive_max", "retries_first", "retries_last", "sack",
        "syn_ack_retries", "syn_cookies", "syn_queue", "syn_retries", "time_wait", "time_waits",
        "timestamps", "window_scaling",
    )  # fmt: skip

    def __init__(self) -> None:
        self.receive_initial = 64 * 1024
        """The window at first. It grows while the program reads as fast as bytes come."""
        self.receive_max = 1024 * 1024
        """How far it grows, and what the window scale is chosen for."""
        self.local_ports = (32768, 60999)
        """Ephemeral ports (RFC 6056), both included."""
        self.syn_queue = 1024
        """Half-open connections of all listeners; of one: its backlog, and 8 at least."""
        self.syn_cookies = True
        """Whether a full queue answers with cookies (RFC 4987, 3.6)."""
        self.syn_retries = 6
        """Of a SYN: 127 s until ETIMEDOUT, as Linux. RFC 9293 (MUST-23) wants 3 min: 7."""
        self.syn_ack_retries = 5
        self.retries_first = 3
        """R1 (RFC 9293, 3.8.3): another way is asked for."""
        self.retries_last = 15
        """R2: the connection is given up."""
        self.min_rto = 200 * MS
        """Linux's; RFC 6298 (2.4) has 1 s."""
        self.max_rto = 120 * SECOND
        self.time_wait = 60 * SECOND
        self.time_waits = 8192
        """How many are remembered at most."""
        self.fin_timeout = 60 * SECOND
        """FIN-WAIT-2, after the program has closed."""
        self.orphans = 4096
        """Connections that the program has closed and that are not finished, at most."""
        self.reassembly = 32 * 1024 * 1024
        """Bytes of all connections that wait for what precedes them, and what keeps them."""
        self.memory = 64 * 1024 * 1024
        """Bytes that connections may hold in all, besides LEAST_BUFFER each way of every one; from
        half of it on windows are small (memory.py)."""
        self.connections = 65536
        """How many there may be."""
        self.challenge_acks = 100
        """Per second and host (RFC 5961, 7); a random half is added, so it cannot be probed."""
        self.keep_idle = 7200 * SECOND
        self.keep_interval = 75 * SECOND
        self.keep_count = 9
        self.congestion = "cubic"
        self.timestamps = True
        self.sack = True
        self.window_scaling = True

    def divide(self, free: int) -> None:
        """Sets what depends on the bytes that the machine has left for all connections."""
        self.memory = free // 8
        self.reassembly = min(self.reassembly, free // 16)
        self.connections = (free - self.memory - self.reassembly) // CONNECTION


OPTIONS = (
    "congestion", "cork", "defer_accept", "fin_timeout", "hop_limit", "keep_count", "keep_idle",
    "keep_interval", "keepalive", "linger", "max_segment", "nodelay", "notsent_lowat",
    "receive_limit", "reuse_address", "reuse_port", "shared", "syn_count", "traffic_class",
    "user_timeout", "v6_only", "window_clamp",
)  # fmt: skip
"""The attributes of SocketOptions."""


class SocketOptions:
    """Of a socket. Connections share their listener's until one of them is set
    (`change_options` of both). 0: the host's setting."""

    __slots__ = OPTIONS

    def __init__(self) -> None:
        self.nodelay = False
        self.cork = False
        self.keepalive = False
        self.keep_idle = 0
        """ns, as are the other times."""
        self.keep_interval = 0
        self.keep_count = 0
        self.user_timeout = 0
        self.defer_accept = 0
        self.syn_count = 0
        self.linger = -1
        """SO_LINGER: ns, -1: off, 0: close resets."""
        self.fin_timeout = 0
        """TCP_LINGER2."""
        self.max_segment = 0
        self.window_clamp = 0
        self.receive_limit = 0
        """SO_RCVBUF: the largest window. 0: it is found."""
        self.notsent_lowat = 0
        self.congestion = ""
        self.hop_limit = 0
        self.traffic_class = 0
        self.reuse_address = False
        self.reuse_port = False
        self.v6_only = False
        self.shared = False
        """Several have it: whoever wants to change it makes a copy."""

    def copy(self) -> SocketOptions:
        """Another with the same values."""
        other = SocketOptions()
        for name in OPTIONS:
            setattr(other, name, getattr(self, name))
        return other


DEFAULT_OPTIONS = SocketOptions()
"""Shared, never changed."""
