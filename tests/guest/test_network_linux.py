"""A machine beside Linux's own stack, over a TAP interface in a network of the test's own."""

import contextlib
import hashlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import machine, namespace

PROGRAM = Path(__file__).parent / "network" / "linux_target.py"
LIMIT_S = 60.0
ECHO_PORT, SINK_PORT, LARGE_PORT = 1007, 1009, 1019
PLAIN = [
    word
    for protocol in ("tcp", "udp")
    for port in (ECHO_PORT, SINK_PORT, LARGE_PORT)
    for word in ("-d", f"{protocol}.port=={port},data")
]
"""So that tshark guesses at no protocol in random bytes."""
LARGE = bytes(range(251)) * 16_000
ADDRESSES = ("192.0.2.2", "2001:db8::2")
TAP_ADDRESS = "02:00:00:00:00:01"
NETWORK = (
    "ip link set lo up",
    "ip tuntap add dev tap0 mode tap",
    f"ip link set dev tap0 address {TAP_ADDRESS}",
    "ip addr add 192.0.2.1/24 dev tap0",
    "ip addr add 2001:db8::1/64 dev tap0 nodad",
    "ip link set tap0 up",
)

OWN_SYS = ("unshare", "-m", "sh", "-c", 'mount -t sysfs none /sys && exec "$@"', "sh")
"""/sys/class/net is that of the network in which /sys was mounted."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The guest is up, and this thread in its network; where its frames are recorded."""
    pcap = tmp_path_factory.mktemp("record") / "all.pcap"
    words = "tap:tap0,192.0.2.2/24,2001:db8::2/64,gateway=192.0.2.1"
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(namespace.made(*NETWORK))
        except OSError as error:
            pytest.skip(f"this user may not make a network: {error}")
        process = subprocess.Popen(
            [
                *OWN_SYS,
                *machine.OVUM,
                "run",
                "--timeout",
                "200",
                "--net",
                words,
                "--pcap",
                pcap,
                PROGRAM,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=machine.environment(),
        )
        try:
            assert process.stdout and process.stderr
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            yield pcap
            end()
            assert process.wait(LIMIT_S) == 0
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate()
    check_record(pcap)


def end() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.sendto(b"end", (ADDRESSES[0], ECHO_PORT))


def check_record(pcap: Path) -> None:
    """No frame is malformed, and all checksums are right.

    But for one that is Linux's: where it computes the checksum of TCP itself it sends 0xFFFF in
    place of 0, which only UDP does (skb_checksum_help; RFC 9293, section 3.1).
    """
    checks = [f"{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    options = [word for check in checks for word in ("-o", check)]
    problems = (
        "_ws.malformed or _ws.short or ip.checksum.status == 0 or tcp.checksum.status == 0"
        " or udp.checksum.status == 0 or icmp.checksum.status == 0 or icmpv6.checksum.status == 0"
    )
    shown = f"({problems}) and not (eth.src == {TAP_ADDRESS} and tcp.checksum == 0xffff)"
    found = subprocess.run(
        [machine.require("tshark"), "-r", pcap, *options, *PLAIN, "-Y", shown],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == ""


def connect(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=LIMIT_S)


def read_all(one: socket.socket) -> bytes:
    pieces = []
    while data := one.recv(1 << 18):
        pieces.append(data)
    return b"".join(pieces)


@pytest.mark.parametrize("address", ADDRESSES)
def test_bulk_transfer_both_ways(record: Path, address: str) -> None:
    with connect(address, LARGE_PORT) as one:
        assert read_all(one) == LARGE
    with connect(address, SINK_PORT) as one:
        one.sendall(LARGE)
        one.shutdown(socket.SHUT_WR)
        assert read_all(one) == hashlib.sha256(LARGE).digest()


@pytest.mark.parametrize("address", ADDRESSES)
def test_many_connections_one_after_the_other(record: Path, address: str) -> None:
    for _ in range(50):
        with connect(address, ECHO_PORT) as one:
            one.sendall(b"hello")
            assert one.recv(100) == b"hello"
            one.shutdown(socket.SHUT_WR)
            assert read_all(one) == b""


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(("size", "count"), [(56, 300), (8000, 30), (60000, 5)])
def test_pings_are_answered(record: Path, address: str, size: int, count: int) -> None:
    words = ["-f", "-q", "-c", str(count), "-s", str(size), "-w", "50", address]
    done = subprocess.run([machine.require("ping"), *words], capture_output=True, text=True)
    received = re.search(r"(\d+) received", done.stdout)
    assert received and int(received[1]) >= count, done.stdout


@pytest.mark.parametrize("address", ADDRESSES)
def test_large_datagrams_go_in_fragments(record: Path, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as it:
        it.settimeout(LIMIT_S)
        for size in (1, 1472, 1473, 9000, 40_000, 65_000):
            data = os.urandom(size)
            it.sendto(data, (address, ECHO_PORT))
            assert it.recv(65536) == data


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_peer_with_a_smaller_mtu_gets_smaller_segments(record: Path, address: str) -> None:
    subprocess.run("ip link set tap0 mtu 1400".split(), check=True)
    try:
        with connect(address, LARGE_PORT) as one:
            assert read_all(one) == LARGE
    finally:
        subprocess.run("ip link set tap0 mtu 1500".split(), check=True)
