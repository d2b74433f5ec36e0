"""The network's configuration: by DHCP, by the command line, late, and not at all."""

import re
import socket
import subprocess
from pathlib import Path

from ovum.net.wire import addr, dhcpv4

from ..host.net.clients.dhcp_model import Server
from . import lan, machine, wire

PROGRAMS = Path(__file__).parent / "network"

SERVER = """\
import socket
print(socket.gethostname(), flush=True)
with socket.create_server(("", 8080)) as server:
    print("listening", flush=True)
    connection, address = server.accept()
    with connection:
        print(connection.getsockname()[0], connection.recv(100).decode())
        connection.sendall(b"hello to you")
print("".join(open("/etc/resolv.conf").readlines()[1:]), end="")
"""

ALONE = """\
import errno, socket, time
begun = time.monotonic()
try:
    print(socket.gethostbyname("example.org"))
except socket.gaierror as error:
    print(error.errno == socket.EAI_AGAIN)
with socket.socket() as one:
    print(errno.errorcode[one.connect_ex(("192.0.2.1", 80))])
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as one:
        print(server.accept()[1] == one.getsockname())
print(socket.gethostbyname("localhost"), time.monotonic() - begun < 20)
"""


def published(*words: str) -> tuple[str, str]:
    """What a server on port 8080 prints when somebody connects to its published port, and what
    ovum says of it."""
    process = subprocess.Popen(
        [*machine.OVUM, "run", "--timeout", "100", "-p", "0:8080", *words, "-c", SERVER],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=machine.environment(),
    )
    with process:
        assert process.stdout and process.stderr
        said = process.stderr.readline()
        port = re.fullmatch(r"ovum: 127\.0\.0\.1:(\d+)/tcp is port 8080 of the machine\n", said)
        assert port, said + process.stderr.read()
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert lines[1] == "listening\n", (lines, process.communicate())
        with socket.create_connection(("127.0.0.1", int(port[1])), timeout=60) as connection:
            connection.sendall(b"hello")
            assert connection.recv(100) == b"hello to you"
        rest, errors = process.communicate()
        assert process.returncode == 0, errors
    return lines[0] + rest, errors


def test_qemus_own_network_and_a_published_port(tmp_path: Path) -> None:
    pcap = tmp_path / "all.pcap"
    out, _ = published("--pcap", str(pcap))
    assert out.splitlines()[:3] == ["ovum", "10.0.2.15 hello", "nameserver 10.0.2.3"]
    frames = wire.read_pcap(pcap)
    kinds = [
        dhcpv4.parse(frame[42:]).kind
        for frame in frames
        if frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[34:38] in (DISCOVERY, OFFER)
    ]
    assert kinds == [dhcpv4.DISCOVER, dhcpv4.OFFER, dhcpv4.DHCP_REQUEST, dhcpv4.ACK]
    assert any(frame.endswith(b"hello to you") for frame in frames)


DISCOVERY, OFFER = b"\0\x44\0\x43", b"\0\x43\0\x44"
"""Ports 68 and 67, both ways."""


def test_the_command_line_configures_a_machine() -> None:
    words = "user,10.0.2.77/24,gateway=10.0.2.2,dns=10.0.2.3,search=example.org,hostname=egg.nest"
    out, _ = published("--net", words, "--machine", "pc")
    assert out.splitlines() == [
        *("egg.nest", "10.0.2.77 hello"),
        *("nameserver 10.0.2.3", "search example.org", "options timeout:2 attempts:3"),
    ]


def test_without_a_network_everything_fails_at_once_but_loopback() -> None:
    result = machine.code(ALONE, "--net", "none").expect()
    assert result.out.splitlines() == ["True", "ENETUNREACH", "True", "127.0.0.1 True"]


def test_a_name_is_found_although_dhcp_answers_late(tmp_path: Path) -> None:
    server = Server()
    server.options |= {
        dhcpv4.DNS_SERVERS: lan.ROUTER,
        dhcpv4.NTP_SERVERS: lan.ROUTER,
        dhcpv4.HOST_NAME: b"egg",
        dhcpv4.DOMAIN_NAME: b"example.org",
    }
    with lan.made(tmp_path, server) as network:
        network.names["nest.example.org"] = addr.parse("192.0.2.200")
        answer, calls = server.answer, iter((1,))

        def answer_late(message: dhcpv4.Message) -> dhcpv4.Message | None:
            """Not the first call; the second comes 4 seconds later."""
            return None if next(calls, None) else answer(message)

        server.answer = answer_late  # type: ignore[method-assign]
        network.start()
        program = PROGRAMS / "first_name.py"
        device = "virtio-net-device"
        with wire.started(
            tmp_path, "microvm", network.netdev, device, program=program, log=True
        ) as guest:
            guest.expect_line("192.0.2.200")
            guest.expect_line("egg 2040")
            guest.expect_line("127.0.1.1 egg")
            guest.expect_line("nameserver 192.0.2.1")
            guest.expect_line("search example.org")
            guest.expect_line("('127.0.1.1', 1)")
            guest.expect_line("waiting")
            assert network.request().options[dhcpv4.SERVER_ID] == server.identifier
            guest.command("set_link", name="card", up=False)
            # A cable that is out for no longer than an interrupt takes is not missed.
            guest.expect_log("eth0: link down")
            guest.command("set_link", name="card", up=True)
            again = network.request()
            assert dhcpv4.SERVER_ID not in again.options
            assert again.options[dhcpv4.REQUESTED_ADDRESS] == addr.parse("192.0.2.100")
            network.send(77, addr.parse("192.0.2.100"), 9999, b"good-bye")
            guest.expect_line("good-bye 192.0.2.1 77")
            assert guest.process.wait(wire.LIMIT_S) == 0
    assert set(network.asked) == {"nest.example.org"}
