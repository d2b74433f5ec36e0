"""ovum.network: what -p, --net and --pcap mean, to QEMU and to the machine."""

import socket
from pathlib import Path

import pytest

from ovum.net.clients.settings import settings_of
from ovum.network import Network, NetworkError, Port, free_ports
from ovum.options import UsageError, parse_run
from ovum.qemu import QemuConfig, qemu_argv


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8080:80", Port(8080, 80)),
        ("8080", Port(8080, 8080)),
        ("53:5353/udp", Port(53, 5353, "udp")),
        ("9/udp", Port(9, 9, "udp")),
        ("0:80/tcp", Port(0, 80)),
        ("0.0.0.0:1:65535", Port(1, 65535, "tcp", "0.0.0.0")),
    ],
)
def test_a_published_port(text: str, port: Port) -> None:
    assert Port.parse(text) == port


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a port: ''"),
        ("http", "not a port: 'http'"),
        ("80:", "not a port: ''"),
        ("80:http", "not a port: 'http'"),
        ("-1:80", "not a port: '-1'"),
        ("²:80", "not a port: '²'"),
        ("0", "ports go from 1 to 65535, not 0"),
        ("80:0", "ports go from 1 to 65535, not 0"),
        ("65536:80", "ports go from 0 to 65535, not 65536"),
        ("80:80/sctp", "not HOST:GUEST"),
        ("80:80/", "not HOST:GUEST"),
        ("a:1.2.3.4:80:80", "not HOST:GUEST"),
        ("localhost:80:80", "not an IPv4 address of this machine: 'localhost'"),
        (":80:80", "not an IPv4 address"),
        ("::1:80:80", "not HOST:GUEST"),
    ],
)
def test_what_is_no_port_is_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Port.parse(text)
    with pytest.raises(UsageError, match="--publish"):
        parse_run([f"--publish={text}", "prog.py"])


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        with pytest.raises(NetworkError, match=rf"127.0.0.1:{number}/tcp .* it is taken"):
            free_ports((Port(number, 80),))
        # UDP has ports of its own.
        assert free_ports((Port(number, 80, "udp"),)) == (Port(number, 80, "udp"),)


def test_a_port_that_is_published_twice_is_told() -> None:
    (free,) = free_ports((Port(0, 80),))
    with pytest.raises(NetworkError, match="it is taken"):
        free_ports((free, Port(free.host, 81)))


def test_an_address_that_is_not_this_hosts_is_told() -> None:
    with pytest.raises(NetworkError, match=r"192.0.2.1:0/tcp cannot be published: Cannot assign"):
        free_ports((Port(0, 80, address="192.0.2.1"),))


def test_port_0_becomes_one_that_is_free() -> None:
    first, second = free_ports((Port(0, 80), Port(0, 81, "udp")))
    assert first.host and second.host
    assert (first.guest, second.guest, second.protocol) == (80, 81, "udp")


def words(network: Network, machine: str = "microvm") -> list[str]:
    config = QemuConfig(image="i", link_fd=5, machine=machine, append="a", network=network)
    argv = qemu_argv(config)
    return argv[argv.index("-kernel") + 2 :]


def test_qemus_own_network() -> None:
    network = Network.parse("user")
    assert words(network) == [
        *("-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net"),
        *("-append", "a"),
    ]
    for machine in ("pc", "q35,hpet=off"):
        assert "virtio-net-pci,netdev=net,romfile=" in words(network, machine)


def test_published_ports_and_a_record() -> None:
    ports = (Port(8080, 80), Port(53, 5353, "udp", "0.0.0.0"))
    network = Network.parse("user").with_ports(ports, Path("a,b.pcap"))
    forwards = "hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:53-:5353"
    assert words(network) == [
        *("-netdev", f"user,id=net,{forwards}", "-device", "virtio-net-device,netdev=net"),
        *("-object", "filter-dump,id=pcap,netdev=net,maxlen=131072,file=a,,b.pcap"),
        *("-append", "a"),
    ]


def test_ports_lead_to_the_address_that_the_machine_is_given() -> None:
    network = Network.parse("user,2001:db8::1/64,10.0.2.77/24,gateway=10.0.2.2")
    argv = words(network.with_ports((Port(1, 2),), None))
    assert argv[1] == "user,id=net,hostfwd=tcp:127.0.0.1:1-10.0.2.77:2"
    assert argv[-1] == "a ovum.net=2001:db8::1/64,10.0.2.77/24,gateway=10.0.2.2"
    (settings,) = settings_of(argv[-1])
    assert settings.addresses[1] == (bytes((10, 0, 2, 77)), 24)


def test_the_kernel_is_told_the_machines_name() -> None:
    argv = words(Network.parse("none,hostname=egg.example.org"))
    name = "hostname=egg.example.org"
    assert argv == ["-append", f"a ovum.net={name} ovum.{name}"]


def test_no_network_is_no_card() -> None:
    assert words(Network.parse("none")) == ["-append", "a"]


def test_an_interface_of_the_hosts() -> None:
    network = Network.parse("tap:tap0")
    backend = "tap,id=net,ifname=tap0,script=no,downscript=no"
    argv = words(network, "pc")
    assert argv[:3] == ["-netdev", backend, "-device"]
    assert argv[3] == f"virtio-net-pci,netdev=net,romfile=,mac={network.mac}"
    # Of its own, the same each time, and one that IEEE gives to nobody (bit 1 of the first byte).
    assert network.mac == Network.parse("tap:tap0").mac != Network.parse("tap:tap1").mac
    assert network.mac.startswith("52:54:00:") and len(network.mac) == 17
    assert words(network.with_ports((), Path("p")))[1] == f"{backend},vnet_hdr=off"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not user, none or tap:NAME"),
        ("bridge", "not user, none or tap:NAME"),
        ("user:x", "not user, none or tap:NAME"),
        ("tap", "not user, none or tap:NAME"),
        ("tap:", "not the name of an interface"),
        ("tap:a/b", "not the name of an interface"),
        ("tap:a23456789012345678", "not the name of an interface"),
        ("user,", "an empty part"),
        ("user,gateway=here", "no IP address: 'here'"),
    ],
)
def test_what_is_no_network_is_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Network.parse(text)
    with pytest.raises(UsageError, match="--net"):
        parse_run([f"--net={text}", "prog.py"])


def test_what_does_not_go_together_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="--publish goes with --net user"):
        Network.parse("none").with_ports((Port(1, 1),), None)
    with pytest.raises(NetworkError, match="--publish goes with --net user"):
        Network.parse("tap:a").with_ports((Port(1, 1),), None)
    with pytest.raises(NetworkError, match="nothing to record"):
        Network.parse("none").with_ports((), tmp_path / "pcap")


def test_an_interface_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "eth0").mkdir()
    for name in ("tap0", "eth0"):
        with pytest.raises(NetworkError, match=f"no TAP interface {name}.*ip tuntap add"):
            Network.parse(f"tap:{name}").check(tmp_path)
    for name, flags in (("tun0", "0x1001"), ("tap1", "0x1002")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tun_flags").write_text(f"{flags}\n")
    with pytest.raises(NetworkError, match="no TAP interface tun0"):
        Network.parse("tap:tun0").check(tmp_path)
    Network.parse("tap:tap1").check(tmp_path)


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Network.parse("user").with_ports((), tmp_path / "missing" / "pcap").check()


def test_the_options_of_a_run() -> None:
    options = parse_run(["-p", "1:2", "-p3", "--net", "none", "--pcap", "f", "prog.py", "-p", "4"])
    assert options.ports == [Port(1, 2), Port(3, 3)]
    assert (options.net, options.pcap) == (Network("none"), Path("f"))
    assert (options.target, options.arguments) == ("prog.py", ["-p", "4"])
    unsaid = parse_run(["prog.py"])
    assert (unsaid.ports, unsaid.net, unsaid.pcap) == (None, None, None)
