"""tcpdump: its filters, its files, and frames of the loopback interface."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from ovum.net.phy import pcap
from ovum.net.tools import ToolError, tcpdump
from ovum.net.tools.filters import compile_filter
from ovum.net.wire import addr, ethernet, ipv4, ipv6, show, tcp, udp
from tests.host.net.wire.captures import ARP_REQUEST, IPV4_SYN

MAC = bytes(6)
SYN = ethernet.emit(MAC, MAC, ethernet.IPV4) + IPV4_SYN
A6, B6 = addr.parse("2001:db8::1"), addr.parse("fe80::2")
DATAGRAM6 = (
    ethernet.emit(MAC, MAC, ethernet.IPV6)
    + ipv6.emit_header(A6, B6, 17, 8)
    + udp.emit_header(5353, 53, 0)
)
FRAGMENT = ethernet.emit(MAC, MAC, ethernet.IPV4) + (
    ipv4.emit_header(b"\x0a\0\0\1", b"\x0a\0\0\2", 6, 40, flags=5) + bytes(20)
)
FRAMES = {"syn": SYN, "arp": ARP_REQUEST, "udp6": DATAGRAM6, "fragment": FRAGMENT, "short": b"x"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "syn arp udp6 fragment short"),
        ("tcp", "syn fragment"),
        ("arp or udp", "arp udp6"),
        ("ip6", "udp6"),
        ("ip and tcp", "syn fragment"),
        ("not ip", "arp udp6 short"),
        ("not not arp", "arp"),
        ("port 443", "syn"),
        ("src port 443", ""),
        ("dst port 443", "syn"),
        ("tcp port 443", "syn"),
        ("udp port 443", ""),
        ("host 172.16.10.12", "syn"),
        ("src host 172.16.10.12", ""),
        ("dst 172.16.10.12", "syn"),
        ("host 10.0.2.2", "arp"),
        ("host 2001:db8::1", "udp6"),
        ("net 10.0.0.0/8", "arp fragment"),
        ("src net 2001:db8::/32", "udp6"),
        ("(arp or tcp) and not net 10.0.0.0/8", "syn"),
        ("arp or tcp and port 443", "syn arp"),
        ("! arp && ! tcp", "udp6 short"),
    ],
)
def test_filters(text: str, names: str) -> None:
    passes = compile_filter(text)
    assert [name for name, frame in FRAMES.items() if passes(frame)] == names.split()


@pytest.mark.parametrize(
    "text",
    ["foo", "tcp and", "(tcp", "tcp)", "port", "port x", "port 65536", "host", "host x",
     "net 10.0.0.0/33", "src", "src tcp", "tcp tcp", "not", "(" * 100 + "tcp" + ")" * 100],
)  # fmt: skip
def test_filters_that_are_none(text: str) -> None:
    with pytest.raises(ToolError, match="filter"):
        compile_filter(text)


def recorded(*frames: tuple[int, bytes]) -> bytes:
    parts: list[bytes] = []
    recorder = pcap.Recorder(parts.append)
    for time_ns, frame in frames:
        recorder.record(time_ns, frame)
    return b"".join(parts)


@pytest.mark.parametrize(
    "data",
    [b"", b"not a capture at all, but long", recorded((1, SYN))[:-1],
     recorded()[:20] + b"\x65\0\0\0"],
)  # fmt: skip
def test_what_is_no_capture_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.pcap"
    path.write_bytes(data)
    with pytest.raises(ToolError, match=r"bad\.pcap: "):
        tcpdump(read=str(path))


def test_lines_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "some.pcap"
    path.write_bytes(recorded((5, ARP_REQUEST), (6, SYN)))
    assert tcpdump(read=str(path), matching="tcp", hexadecimal=True) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(".000000 " + show.frame(SYN))
    assert lines[1] == "\t0x0000:  4500 003c 1c46 4000 4006 b1e6 ac10 0a63  E..<.F@.@......c"
    other = tmp_path / "other.pcap"
    assert tcpdump(read=str(path), write=str(other), count=1) == 1
    assert list(pcap.read(other.read_bytes())) == [(5, ARP_REQUEST)]
    with pytest.raises(ToolError, match="No such file"):
        tcpdump(read=str(tmp_path / "none"))
    with pytest.raises(ToolError, match="No such file"):
        tcpdump(write=str(tmp_path / "none" / "x"))


def packet_sockets() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not packet_sockets(), reason="packet sockets are for root")
def test_frames_of_the_loopback(capsys: pytest.CaptureFixture[str]) -> None:
    """A task sends until the line is there: when the tool listens cannot be seen from outside."""
    done = threading.Event()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        port = sender.getsockname()[1]

        def send() -> None:
            while not done.wait(0.01):
                sender.sendto(b"hello", ("127.0.0.1", port))

        thread = threading.Thread(target=send)
        thread.start()
        try:
            assert tcpdump("lo", 2, f"udp and src port {port}", seconds=20) == 2
        finally:
            done.set()
            thread.join()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "listening on lo, link-type EN10MB (Ethernet)"
    assert lines[1].endswith(f" IP 127.0.0.1.{port} > 127.0.0.1.{port}: UDP, length 5")
    assert lines[3] == "2 packets captured"


@pytest.mark.skipif(not packet_sockets(), reason="packet sockets are for root")
def test_an_interface_that_there_is_not() -> None:
    with pytest.raises(ToolError, match="nosuch: No such device"):
        tcpdump("nosuch", 1)


def test_a_segment_of_a_filter_is_not_confused_by_flags() -> None:
    header = tcp.emit_header(tcp.Segment(1, 2, 3, 4, 0xFF, 5))
    frame = ethernet.emit(MAC, MAC, ethernet.IPV6) + ipv6.emit_header(A6, B6, 6, 20) + header
    assert compile_filter("tcp and src port 1 and dst port 2")(frame)
