"""The configuration of an interface within the stack, in a network of models."""

from ovum.net.clients.texts import MARK
from ovum.net.wire import addr, checksum, dhcpv4, ethernet, ipv6, ndp
from ovum.net.wire.ndp_options import Options

from .dhcp_model import FIRST, OTHER, SECOND, SERVER, Server
from .lan_model import ROUTER_MAC, Lan, started


def served(server: Server, words: str = "") -> Lan:
    """A machine that has got what it needs."""
    lan = started(server, words=words)
    lan.run(0.1)
    assert lan.addresses() == ["192.0.2.100/24"]
    assert lan.take() == [
        "DISCOVER 0.0.0.0 > 255.255.255.255",
        "REQUEST 0.0.0.0 > 255.255.255.255",
        "announce 192.0.2.100",
    ]
    return lan


def resolver() -> Server:
    server = Server()
    server.options[dhcpv4.DNS_SERVERS] = SERVER
    return server


def test_dhcp_configures_an_interface_at_once() -> None:
    lan = served(resolver())
    assert lan.settled_at is not None and lan.settled_at < 0.01
    assert lan.routes() == ["0.0.0.0/0 via 192.0.2.1"]
    assert lan.notes.lines == ["network: eth0: 192.0.2.100/24 from 192.0.2.1 for 3600 s"]
    (text,) = lan.notes.resolv
    assert text == f"{MARK}nameserver 192.0.2.1\noptions timeout:2 attempts:3\n"
    assert lan.notes.names == lan.notes.hosts == []
    path = lan.stack.path(addr.parse("198.51.100.7"))
    assert path.local == FIRST


def test_the_address_is_probed_while_it_is_in_use() -> None:
    lan = served(Server())
    lan.run(10)
    assert lan.take().count("probe 192.0.2.100") == 3
    lan.run(1700)
    assert lan.take() == []


def test_renewals_go_to_the_server_alone_and_change_nothing() -> None:
    lan = served(resolver())
    lan.run(1800)
    assert lan.take()[-1] == "REQUEST 192.0.2.100 > 192.0.2.1"
    lan.run(20 * 3600)
    assert lan.take()
    assert lan.addresses() == ["192.0.2.100/24"]
    assert len(lan.notes.lines) == len(lan.notes.resolv) == 1


def test_what_a_renewal_changes_is_changed() -> None:
    server = resolver()
    lan = served(server)
    server.options |= {dhcpv4.ROUTERS: OTHER, dhcpv4.DNS_SERVERS: OTHER}
    lan.run(1800)
    assert lan.routes() == ["0.0.0.0/0 via 192.0.2.2"]
    assert "nameserver 192.0.2.2\n" in lan.notes.resolv[-1]


def test_a_lease_that_expires_takes_all_with_it() -> None:
    server = resolver()
    lan = served(server)
    server.silent = True
    lan.run(3601)
    assert lan.addresses() == lan.routes() == []
    assert "nameserver" not in lan.notes.resolv[-1]
    assert lan.notes.lines[-1] == "!network: eth0: 192.0.2.100 is gone: expired"
    assert lan.take()[-1] == "DISCOVER 0.0.0.0 > 255.255.255.255"


def test_an_address_of_somebody_elses_is_found_out_and_declined() -> None:
    server = Server()
    lan = started(server)
    lan.taken.add(FIRST)
    lan.run(3)
    sent = lan.take()
    assert "DECLINE 0.0.0.0 > 255.255.255.255" in sent
    assert lan.addresses() == []
    lan.run(12)
    assert lan.addresses() == ["192.0.2.101/24"]
    assert lan.notes.lines[1] == "!network: eth0: 192.0.2.100 is gone: somebody else has it"


def test_an_address_that_somebody_takes_later_is_defended_and_kept() -> None:
    lan = served(Server())
    lan.run(30)
    lan.take()
    lan.say(FIRST)
    lan.run(1)
    assert lan.take() == ["announce 192.0.2.100"]
    for _ in range(5):
        lan.say(FIRST)
        lan.run(1)
    # Once in ten seconds, whatever others say (RFC 5227, 2.4 (c)).
    assert lan.take() == []
    lan.run(10)
    lan.say(FIRST)
    lan.run(1)
    assert lan.take() == ["announce 192.0.2.100"]
    assert lan.addresses() == ["192.0.2.100/24"]


def test_when_nobody_answers_the_program_does_not_wait_long() -> None:
    lan = started()
    lan.run(20)
    assert lan.settled_at is not None and 10 <= lan.settled_at <= 14
    assert lan.notes.lines[0] == "!network: eth0: nobody answers DHCP"


def test_when_nobody_answers_an_address_is_taken_until_somebody_does() -> None:
    server = Server()
    server.silent = True
    lan = started(server)
    lan.run(25)
    (own,) = lan.addresses()
    assert own.startswith("169.254.") and own.endswith("/16")
    address = own.removesuffix("/16")
    sent = lan.take()
    assert sent.count(f"probe {address}") == 3
    assert sent.index(f"announce {address}") > sent.index(f"probe {address}")
    assert lan.notes.lines[-1] == f"network: eth0: {address}, which it has taken by itself"
    # It goes on asking, and still as nobody (RFC 2131, 4.1).
    lan.run(200)
    assert {one for one in lan.take() if "DISCOVER" in one} == {
        "DISCOVER 0.0.0.0 > 255.255.255.255"
    }
    server.silent = False
    lan.run(70)
    assert lan.addresses() == ["192.0.2.100/24"]
    assert lan.routes() == ["0.0.0.0/0 via 192.0.2.1"]


def test_an_address_of_its_own_that_is_taken_is_not_insisted_on() -> None:
    lan = started()
    probes: list[str] = []
    while not probes:
        lan.run(0.2)
        probes = [one for one in lan.take() if one.startswith("probe")]
    first = probes[0].removeprefix("probe ")
    lan.taken.add(addr.parse(first))
    lan.run(25)
    (own,) = lan.addresses()
    assert own != f"{first}/16"
    lan.run(30)
    lan.say(addr.parse(own.removesuffix("/16")))
    lan.run(0.5)
    lan.say(addr.parse(own.removesuffix("/16")))
    lan.run(20)
    assert lan.addresses() != [own]
    assert len(lan.addresses()) == 1


def test_a_cable_that_is_pulled_and_plugged_has_the_lease_asked_about() -> None:
    lan = served(Server())
    lan.run(10)
    lan.link(False)
    lan.run(100)
    lan.take()
    lan.link(True)
    lan.run(1)
    sent = lan.take()
    assert [one for one in sent if "REQUEST" in one] == ["REQUEST 0.0.0.0 > 255.255.255.255"]
    assert lan.addresses() == ["192.0.2.100/24"]
    assert lan.routes() == ["0.0.0.0/0 via 192.0.2.1"]
    assert len(lan.notes.lines) == 1


def test_another_network_is_another_address() -> None:
    server, other = Server(), Server(OTHER, addr.parse("198.51.100.5"))
    lan = served(server)
    other.options[dhcpv4.ROUTERS] = addr.parse("198.51.100.1")
    lan.link(False)
    lan.servers = (other,)
    lan.link(True)
    lan.run(1)
    assert lan.addresses() == ["198.51.100.5/24"]
    assert lan.routes() == ["0.0.0.0/0 via 198.51.100.1"]


def test_a_card_without_a_cable_is_an_ordinary_state() -> None:
    lan = started(Server(), up=False)
    lan.run(1000)
    assert lan.take() == []
    assert lan.notes.lines == []
    assert lan.settled_at == 3.0
    lan.link(True)
    lan.run(1)
    assert lan.addresses() == ["192.0.2.100/24"]


def test_the_command_line_configures_without_asking() -> None:
    words = (
        "ovum.net=192.0.2.7/24,gateway=192.0.2.1,2001:db8::7/64,gateway=fe80::1,"
        "dns=192.0.2.53,search=example.org,hostname=egg.example.org,mtu=1400"
    )
    lan = started(Server(), words=words)
    lan.run(100)
    assert not [one for one in lan.take() if "DISCOVER" in one]
    assert lan.settled_at == 0
    assert lan.addresses() == ["192.0.2.7/24"]
    assert lan.routes() == ["0.0.0.0/0 via 192.0.2.1"]
    assert addr.parse("2001:db8::7") in lan.interface.addresses6
    default = [one for one in lan.stack.routes(6) if not one.prefix_length]
    assert [one.gateway for one in default] == [addr.parse("fe80::1")]
    assert lan.notes.names == ["egg.example.org"]
    assert lan.notes.hosts[0].endswith("127.0.1.1 egg.example.org egg\n")
    assert lan.notes.resolv == [
        f"{MARK}nameserver 192.0.2.53\nsearch example.org\noptions timeout:2 attempts:3\n"
    ]
    assert lan.stack.path(SERVER).ip_mtu == 1400


def test_ipv6_alone_is_settled_when_its_address_is_checked() -> None:
    lan = started(words="ovum.net=2001:db8::7/64")
    lan.run(100)
    assert lan.settled_at == 2.0
    assert lan.take() == []


def test_none_is_left_alone() -> None:
    lan = started(Server(), words="ovum.net=none")
    lan.run(1000)
    assert lan.take() == lan.addresses() == []
    assert lan.settled_at == 0


def test_single_addresses_have_their_gateway_on_the_link() -> None:
    server = Server()
    server.options[dhcpv4.SUBNET_MASK] = addr.mask(32)
    lan = started(server)
    lan.run(1)
    assert lan.routes() == ["192.0.2.1/32", "0.0.0.0/0 via 192.0.2.1"]
    server.options[dhcpv4.SUBNET_MASK] = addr.mask(32)
    server.silent = True
    lan.run(4000)
    assert lan.routes() == []


def test_classless_routes() -> None:
    server = Server()
    routes = [
        (addr.parse("10.0.0.0"), 8, OTHER),
        (addr.parse("192.0.3.0"), 24, bytes(4)),
        (bytes(4), 0, SERVER),
    ]
    server.options[dhcpv4.ROUTES] = dhcpv4.emit_routes(routes)
    lan = served(server)
    assert sorted(lan.routes()) == [
        "0.0.0.0/0 via 192.0.2.1", "10.0.0.0/8 via 192.0.2.2", "192.0.3.0/24"
    ]  # fmt: skip


def test_a_name_and_the_time_by_dhcp() -> None:
    server = Server()
    server.options |= {dhcpv4.HOST_NAME: b"egg", dhcpv4.NTP_SERVERS: SERVER}
    lan = started(server)
    lan.run(1)
    assert lan.notes.names == ["egg"]
    assert "NTP > 192.0.2.1" in lan.take()
    assert abs(lan.notes.wall_ns() - lan.now - lan.true_ns) < SECOND // 100
    assert "the clock is 1800000000" in lan.notes.lines[-1]
    lan.run(7200)
    assert lan.take().count("NTP > 192.0.2.1") > 8
    assert all(abs(move) <= 500_000 for move in lan.notes.moves[1:])


def test_the_command_lines_name_wins_and_is_told_to_the_server() -> None:
    server = Server()
    server.options[dhcpv4.HOST_NAME] = b"other"
    seen: list[bytes] = []
    answer = server.answer

    def noting(message: dhcpv4.Message) -> dhcpv4.Message | None:
        seen.append(message.options[dhcpv4.HOST_NAME])
        return answer(message)

    server.answer = noting  # type: ignore[method-assign]
    lan = started(server, words="ovum.net=hostname=egg")
    lan.run(1)
    assert lan.notes.names == ["egg"]
    assert seen == [b"egg", b"egg"]


def advertisement(lifetime_s: int, server: str) -> bytes:
    options = Options()
    options.resolvers.append((lifetime_s, [addr.parse(server)]))
    message = ndp.emit(ndp.RouterAdvertisement(1800, options))
    src, dst = addr.parse("fe80::1"), addr.ALL_NODES6
    total = checksum.pseudo(src, dst, 58, len(message)) + checksum.add(message)
    message = message[:2] + checksum.finish(total).to_bytes(2, "big") + message[4:]
    header = ipv6.emit_header(src, dst, 58, len(message), hop_limit=255)
    mac = addr.multicast_mac(dst)
    return ethernet.emit(mac, ROUTER_MAC, ethernet.IPV6) + header + message


def test_the_servers_of_routers_come_behind_those_of_dhcp() -> None:
    lan = served(resolver())
    lan.come(advertisement(600, "fe80::53"))
    lan.run(1)
    assert "nameserver 192.0.2.1\nnameserver fe80::53%eth0\n" in lan.notes.resolv[-1]
    lan.run(700)
    assert "fe80" not in lan.notes.resolv[-1]


def test_nothing_is_written_before_all_is_settled() -> None:
    lan = Lan(resolver())
    lan.unsettled += 1
    lan.start()
    lan.run(1)
    assert lan.addresses() and lan.settled_at is not None
    assert lan.notes.resolv == []
    lan.unsettled = 0
    lan.machine.changed(lan.now)
    assert len(lan.notes.resolv) == 1


def test_at_the_end_nothing_of_it_is_left_running() -> None:
    lan = served(resolver())
    lan.configuration.stop(lan.now)
    lan.configuration.stop(lan.now)
    lan.run(10_000)
    assert not [one for one in lan.take() if "192.0.2.1" in one and "REQUEST" in one]
    assert lan.udp.endpoints == []
    assert lan.machine.interfaces == []
    # Connections may still have something to say.
    assert lan.addresses() == ["192.0.2.100/24"]


def test_a_port_that_is_taken_is_told() -> None:
    lan = Lan(Server())

    class Nobody:
        def datagram(self, *_: object) -> bool:
            return True

        def failed(self, *_: object) -> None:
            pass

    other = lan.udp.endpoint(4, Nobody())
    other.bind(b"", 68)
    lan.start()
    lan.run(1)
    assert lan.settled_at == 0
    assert lan.notes.lines[0].startswith("!network: eth0: no DHCP: ")
