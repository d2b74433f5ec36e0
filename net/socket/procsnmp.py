"""/proc/net/snmp and /proc/net/netstat: what the protocols have counted, by Linux's names.

Every name that Linux's file has is there, in its order, for programs take them for granted; what
nobody counts here, or what does not happen (forwarding), is 0.
"""

from __future__ import annotations

from ovum.net.tcp.states import CLOSE_WAIT, ESTABLISHED
from ovum.net.wire import icmpv4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ovum.net.counters import Counters
    from ovum.net.network import Network
    from ovum.net.udphost import UdpHost

_ICMP = (
    ("DestUnreachs", icmpv4.UNREACHABLE), ("TimeExcds", icmpv4.TIME_EXCEEDED),
    ("ParmProbs", icmpv4.PARAMETER_PROBLEM), ("SrcQuenchs", icmpv4.SOURCE_QUENCH),
    ("Redirects", icmpv4.REDIRECT), ("Echos", icmpv4.ECHO_REQUEST),
    ("EchoReps", icmpv4.ECHO_REPLY), ("Timestamps", 13), ("TimestampReps", 14),
    ("AddrMasks", 17), ("AddrMaskReps", 18),
)  # fmt: skip
"""The types in the order of icmpmibmap (net/ipv4/proc.c in Linux)."""

_HEADER_ERRORS = (
    "ipv4_header_short", "ipv4_header_length_bad", "ipv4_version_bad", "ipv4_total_length_bad",
    "ipv4_checksum_bad", "ipv4_option_bad",
)  # fmt: skip

_TCP_EXT = (
    ("SyncookiesSent", "tcp_cookies_sent"), ("SyncookiesRecv", "tcp_cookies_accepted"),
    ("SyncookiesFailed", "tcp_cookie_bad"), ("PAWSEstab", "tcp_paws"),
    ("ListenOverflows", "tcp_accept_queue_full"), ("ListenDrops", "tcp_accept_queue_full"),
    ("TCPTimeouts", "tcp_timeouts"), ("TCPLossProbes", "tcp_tail_probes"),
    ("TCPAbortOnData", "tcp_data_after_close"), ("TCPAbortOnClose", "tcp_close_unread"),
    ("TCPDSACKRecv", "tcp_dsack_received"), ("TCPSackRecovery", "tcp_fast_recovery"),
    ("TCPChallengeACK", "tcp_challenge_acks"), ("TCPMemoryPressures", "tcp_memory_short"),
    ("TCPReqQFullDoCookies", "tcp_cookies_sent"), ("TCPReqQFullDrop", "tcp_syn_queue_full"),
    ("TCPTimeWaitOverflow", "tcp_time_wait_full"), ("TCPWinProbe", "tcp_window_probes"),
)  # fmt: skip
"""Those of Linux's many that something here counts."""


def snmp_text(network: Network) -> str:
    """/proc/net/snmp (RFC 4293, RFC 4022, RFC 4113)."""
    groups = {"Ip": _ip(network), **_icmp(network), "Tcp": _tcp(network)}
    counters = network.stack.counters
    groups["Udp"] = _udp(network.udp, counters, "udp")
    groups["UdpLite"] = _udp(network.sockets.udplite, counters, "udplite")
    return "".join(_group(name, values) for name, values in groups.items())


def _ip(network: Network) -> dict[str, int]:
    stack, counters = network.stack, network.stack.counters
    sent = sum(one.sent_frames for one in stack.interfaces.values())
    return {
        "Forwarding": 2,
        "DefaultTTL": stack.settings.hop_limit,
        "InReceives": sum(one.received_frames for one in stack.interfaces.values()),
        "InHdrErrors": sum(counters[name] for name in _HEADER_ERRORS),
        "InAddrErrors": counters["ipv4_not_for_us"],
        "ForwDatagrams": 0,
        "InUnknownProtos": counters["ipv4_protocol_unknown"],
        "InDiscards": counters["ip_errors_full"],
        "InDelivers": network.tcp.segments_in
        + network.udp.datagrams_in
        + sum(stack.icmp4.received.values()),
        "OutRequests": sent,
        "OutDiscards": counters["interface_outbox_full"] + counters["interface_down"],
        "OutNoRoutes": counters["icmp_no_way_back"] + counters["tcp_no_path"],
        "ReasmTimeout": 0,
        "ReasmReqds": 0,
        "ReasmOKs": 0,
        "ReasmFails": 0,
        "FragOKs": 0,
        "FragFails": counters["ip_too_long"],
        "FragCreates": 0,
        "OutTransmits": sent,
    }


def _icmp(network: Network) -> dict[str, dict[str, int]]:
    icmp, counters = network.stack.icmp4, network.stack.counters
    received, sent = icmp.received, icmp.sent
    bad = counters["icmp_checksum_bad"] + counters["icmp_short"]
    values = {
        "InMsgs": sum(received.values()) + bad,
        "InErrors": bad + counters["icmp_quote_bad"] + counters["icmp_quote_short"],
        "InCsumErrors": counters["icmp_checksum_bad"],
    }
    values |= {f"In{name}": received.get(kind, 0) for name, kind in _ICMP}
    values |= {
        "OutMsgs": sum(sent.values()),
        "OutErrors": counters["icmp_no_way_back"],
        "OutRateLimitGlobal": counters["icmp_error_rate"],
        "OutRateLimitHost": 0,
    }
    values |= {f"Out{name}": sent.get(kind, 0) for name, kind in _ICMP}
    kinds = {f"InType{kind}": count for kind, count in sorted(received.items())}
    kinds |= {f"OutType{kind}": count for kind, count in sorted(sent.items())}
    return {"Icmp": values, "IcmpMsg": kinds} if kinds else {"Icmp": values}


def _tcp(network: Network) -> dict[str, int]:
    tcp, counters = network.tcp, network.stack.counters
    states_now = [getattr(one, "state", 0) for one in tcp.table.values()]
    return {
        "RtoAlgorithm": 1,
        "RtoMin": 200,
        "RtoMax": 120_000,
        "MaxConn": -1,
        "ActiveOpens": tcp.active_opens,
        "PassiveOpens": tcp.passive_opens,
        "AttemptFails": counters["tcp_attempt_failed"] + counters["tcp_half_open_timeout"],
        "EstabResets": counters["tcp_established_ended"],
        "CurrEstab": sum(state in (ESTABLISHED, CLOSE_WAIT) for state in states_now),
        "InSegs": tcp.segments_in,
        "OutSegs": tcp.segments_out,
        "RetransSegs": counters["tcp_retransmitted"],
        "InErrs": counters["tcp_checksum"] + counters["tcp_header_short"],
        "OutRsts": counters["tcp_resets_sent"],
        "InCsumErrors": counters["tcp_checksum"],
    }


def _udp(host: UdpHost | None, counters: Counters, name: str) -> dict[str, int]:
    checksum, full = counters[f"{name}_checksum_bad"], counters[f"{name}_queue_full"]
    return {
        "InDatagrams": 0 if host is None else host.datagrams_in,
        "NoPorts": counters[f"{name}_port_unreachable"],
        "InErrors": full + checksum,
        "OutDatagrams": 0 if host is None else host.datagrams_out,
        "RcvbufErrors": full,
        "SndbufErrors": 0,
        "InCsumErrors": checksum,
        "IgnoredMulti": counters[f"{name}_to_all_unwanted"],
        "MemErrors": 0,
    }


def netstat_text(network: Network) -> str:
    """/proc/net/netstat: of Linux's extensions what is counted, and all counters by our names."""
    counters = network.stack.counters
    links = network.stack.interfaces.values()
    text = _group("TcpExt", {name: counters[ours] for name, ours in _TCP_EXT})
    text += _group(
        "IpExt",
        {
            "InOctets": sum(one.received_bytes for one in links),
            "OutOctets": sum(one.sent_bytes for one in links),
        },
    )
    return text + _group("Ovum", dict(sorted(counters.items())))


def _group(name: str, values: Mapping[str, int]) -> str:
    names = " ".join(values)
    numbers = " ".join(map(str, values.values()))
    return f"{name}: {names}\n{name}: {numbers}\n"
