"""struct tcp_info (linux/tcp.h, 5.4), and a line about a connection for people."""

from __future__ import annotations

from struct import Struct

from ovum.net.tcp import lifecycle, scoreboard
from ovum.net.tcp.cc.base import UNLIMITED
from ovum.net.tcp.states import CLOSED, NAMES, TIME_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection

TCP_INFO = Struct("<8B24I4Q6I4Q2I2Q4I")
TIMESTAMPS, SACK, WINDOW_SCALE = 1, 2, 4
"""tcpi_options."""

MOST = 0xFFFFFFFF


def pack(c: Connection | None, now: int) -> bytes:
    """The structure. What is not measured is 0."""
    if c is None:
        return TCP_INFO.pack(CLOSED, *bytes(TCP_INFO_FIELDS - 1))
    mss = max(c.mss, 1)
    ended = c.state in (CLOSED, TIME_WAIT)
    phase = 0 if c.recovery is None else (0, 3, 4)[c.recovery.phase]
    options = c.ts_on * TIMESTAMPS | c.sack_on * SACK | (c.rcv_shift > 0) * WINDOW_SCALE
    unsent = 0 if ended else max(c.stream.send_queued() - (c.snd_nxt - c.snd_una), 0)
    silent = min((now - c.heard_at) // 1_000_000, MOST)
    ssthresh = MOST >> 1 if c.cc.ssthresh >= UNLIMITED else c.cc.ssthresh // mss
    return TCP_INFO.pack(
        # state, ca_state, retransmits, probes, backoff, options, both shifts, flags
        *(c.state, phase, min(c.backoff, 255), min(c.keepalive_probes, 255), min(c.backoff, 255)),
        *(options, max(c.snd_shift, 0) | c.rcv_shift << 4, 0),
        # rto, ato, snd_mss, rcv_mss
        *(c.rto // 1000, 40_000, c.mss, c.rcv_mss),
        # unacked, sacked, lost, retrans, fackets, in segments
        *(-(-size // mss) for size in (c.snd_nxt - c.snd_una, c.sacked_out, c.lost_out)),
        *(-(-c.retrans_out // mss), 0),
        # last_data_sent, last_ack_sent, last_data_recv, last_ack_recv
        *(min((now - c.sent_at) // 1_000_000, MOST), 0, silent, silent),
        # pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering
        *(c.path.ip_mtu, c.rcv_limit, c.srtt // 1000, c.rttvar // 1000, ssthresh),
        *(c.cc.cwnd // mss, c.peer_mss, scoreboard.DUP_THRESH),
        # rcv_rtt, rcv_space, total_retrans
        *(0, c.rcv_limit, c.retransmitted),
        # pacing_rate, max_pacing_rate, bytes_acked, bytes_received
        *(0, (1 << 64) - 1, c.bytes_out, c.bytes_in),
        # segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out
        *(0, 0, unsent, c.min_rtt // 1000, 0, 0),
        # delivery_rate, busy_time, rwnd_limited, sndbuf_limited
        *(0, 0, 0, 0),
        # delivered, delivered_ce
        *(0, 0),
        # bytes_sent, bytes_retrans
        *(c.bytes_out + c.snd_nxt - c.snd_una, 0),
        # dsack_dups, reord_seen, rcv_ooopack, snd_wnd
        *(0, int(c.recovery is not None and c.recovery.reordering), 0, min(c.snd_wnd, MOST)),
    )


TCP_INFO_FIELDS = 8 + 24 + 4 + 6 + 4 + 2 + 2 + 4


def describe(c: Connection) -> str:
    """State, numbers and the last changes."""
    return (
        f"{NAMES[c.state]} snd {c.snd_una - c.iss}/{c.snd_nxt - c.iss} wnd {c.snd_wnd} "
        f"rcv {c.rcv_nxt - c.irs} wnd {c.rcv_adv - c.rcv_nxt} cwnd {c.cc.cwnd} "
        f"rto {c.rto // 1_000_000} ms; {lifecycle.describe(c.history)}"
    )
