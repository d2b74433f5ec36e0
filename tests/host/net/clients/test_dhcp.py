"""The DHCP client against a server that does what it should (RFC 2131, 4.4)."""

import itertools

import pytest

from ovum.net.clients import dhcp
from ovum.net.wire import addr, dhcpv4

from .dhcp_model import EVERYBODY, FIRST, MAC, NOBODY, OTHER, SERVER, Server, bound, started


def test_four_messages_make_a_lease() -> None:
    link = started(Server(), hostname="egg")
    link.run(1)
    assert link.take() == ["bound 192.0.2.100"]
    (_, discover, source, destination), (_, request, *way) = link.sent
    assert (source, destination) == (NOBODY, EVERYBODY) == tuple(way)
    assert discover.broadcast and request.broadcast
    assert discover.xid == request.xid
    assert discover.mac == MAC
    for message in (discover, request):
        assert message.client_address == NOBODY
        assert message.options[dhcpv4.CLIENT_ID] == b"\1" + MAC
        assert message.options[dhcpv4.HOST_NAME] == b"egg"
        assert message.options[dhcpv4.MAX_SIZE] == (1500).to_bytes(2, "big")
        wanted = message.options[dhcpv4.PARAMETERS]
        # RFC 3442: in front of the routers.
        assert wanted.index(dhcpv4.ROUTES) < wanted.index(dhcpv4.ROUTERS)
    assert dhcpv4.SERVER_ID not in discover.options
    assert request.options[dhcpv4.SERVER_ID] == SERVER
    assert request.options[dhcpv4.REQUESTED_ADDRESS] == FIRST
    assert link.client.state == dhcp.BOUND


def test_what_the_server_says_beside_the_address() -> None:
    server = Server()
    routes = [(NOBODY, 0, SERVER), (addr.parse("10.1.0.0"), 16, OTHER)]
    server.options |= {
        dhcpv4.ROUTERS: addr.parse("192.0.2.99"),
        dhcpv4.ROUTES: dhcpv4.emit_routes(routes),
        dhcpv4.DNS_SERVERS: SERVER + OTHER + SERVER,
        dhcpv4.NTP_SERVERS: OTHER,
        dhcpv4.SEARCH: b"\7example\3org\0\3lab\xc0\0",
        dhcpv4.HOST_NAME: b"egg.example.org",
        dhcpv4.MTU: (1400).to_bytes(2, "big"),
    }
    lease = bound(server).leases[0]
    assert lease.prefix_length == 24
    assert lease.routes == routes
    assert (lease.dns, lease.ntp) == ([SERVER, OTHER], [OTHER])
    assert lease.search == ["example.org", "lab.example.org"]
    assert (lease.hostname, lease.ip_mtu) == ("egg.example.org", 1400)
    assert "192.0.2.100/24 from 192.0.2.1 for 3600 s" in repr(lease)


def test_options_may_be_in_the_fields_for_names() -> None:
    server = Server()

    def overloaded(message: dhcpv4.Message) -> dhcpv4.Message:
        options = message.options
        moved = bytes((dhcpv4.DNS_SERVERS, 4)) + OTHER + b"\xff"
        options[dhcpv4.OVERLOAD] = b"\3"
        message.file, message.server_name = moved, bytes((dhcpv4.NTP_SERVERS, 4)) + SERVER
        return message

    server.change = overloaded
    lease = bound(server).leases[0]
    assert (lease.dns, lease.ntp) == ([OTHER], [SERVER])


def test_nobody_answers_and_then_somebody() -> None:
    server = Server()
    server.silent = True
    link = started(server)
    link.run(400)
    times = [at for at, *_ in link.sent]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    # RFC 2131, 4.1: 4, 8, 16, … 64 seconds, a second more or less, by chance.
    expected = [4, 8, 16, 32, *[64] * (len(gaps) - 4)]
    assert len(gaps) == 9
    for gap, middle in zip(gaps, expected, strict=True):
        assert middle - 1 <= gap <= middle + 1
    assert len(set(gaps[4:])) > 1
    assert [message.seconds for _, message, *_ in link.sent] == [int(at) for at in times]
    assert link.take() == [f"unanswered {count}" for count in range(1, 10)]
    server.silent = False
    link.run(66)
    assert link.take() == ["unanswered 10", "bound 192.0.2.100"]


def test_an_offer_that_is_not_kept_is_given_up_after_a_minute() -> None:
    server = Server()
    link = started(server)
    server.change = lambda message: message if message.kind == dhcpv4.OFFER else None
    link.run(50)
    assert link.take_sent() == ["DISCOVER to all", *["REQUEST to all"] * 4]
    link.run(14)
    assert link.take_sent() == ["DISCOVER to all", "REQUEST to all"]
    assert link.take() == []
    assert link.counters["dhcp_request_unanswered"] == 1


def test_a_lease_is_renewed_with_its_server_at_half_time() -> None:
    link = bound(Server())
    link.run(0.95 * 1800 - 2)
    assert link.take_sent() == []
    link.run(0.05 * 1800 + 2)
    (at, request, source, destination) = link.sent[0]
    assert 0.95 * 1800 <= at <= 1801
    assert (source, destination) == (FIRST, SERVER)
    assert request.client_address == FIRST
    assert not request.broadcast
    assert dhcpv4.SERVER_ID not in request.options
    assert dhcpv4.REQUESTED_ADDRESS not in request.options
    assert link.take() == ["bound 192.0.2.100"]
    link.run(24 * 3600)
    # And so on: no faster than twice in an hour.
    assert 48 <= len(link.take()) <= 51


def test_without_its_server_any_server_is_asked_and_then_the_address_is_given_up() -> None:
    server = Server()
    link = bound(server)
    server.silent = True
    link.run(3599)
    kinds = link.take_sent()
    renewals = kinds.count("REQUEST to 192.0.2.1")
    assert 4 <= renewals <= 6
    assert kinds[renewals:] in (["REQUEST to all"] * 4, ["REQUEST to all"] * 5)
    assert link.take() == []
    assert link.client.state == dhcp.REBINDING
    link.run(2)
    assert link.take() == ["lost 192.0.2.100: expired"]
    assert link.take_sent() == ["DISCOVER to all"]


def test_another_server_may_go_on_with_the_lease() -> None:
    server, other = Server(), Server(OTHER)
    link = bound(server)
    link.servers = (server, other)
    server.silent = True
    other.given[FIRST] = MAC
    link.run(3400)
    assert link.take() == ["bound 192.0.2.100"]
    assert link.leases[-1].server == OTHER
    link.sent.clear()
    link.run(1800)
    assert link.take_sent() == ["REQUEST to 192.0.2.2"]


def test_the_pauses_between_renewals_are_halves_and_at_least_a_minute() -> None:
    server = Server()
    link = bound(server)
    server.silent = True
    link.run(3590)
    for asked in (SERVER, EVERYBODY):
        times = [at for at, _, _, to in link.sent if to == asked]
        assert all(later - earlier >= 59.9 for earlier, later in itertools.pairwise(times))
    first, second, *_ = [at for at, *_ in link.sent]
    assert second - first == pytest.approx((0.875 * 3600 - first) / 2, rel=0.11)


def test_a_server_may_refuse_to_renew() -> None:
    server = Server()
    link = bound(server)
    server.refuses = True
    link.run(1800)
    assert link.take() == ["lost 192.0.2.100: the server has refused it"]
    # Asked for another at once, refused again, and from then on more and more slowly.
    link.take_sent()
    link.run(3600)
    assert link.take_sent().count("DISCOVER to all") <= 15
    assert link.take() == []
    server.refuses = False
    link.run(330)
    assert link.take() == ["bound 192.0.2.100"]


def test_the_first_refusal_costs_no_time() -> None:
    server = Server()
    link = bound(server)
    link.client.link_down()
    server.given.clear()
    server.next = OTHER
    link.client.link_up(link.now)
    link.run(1)
    assert link.take() == ["lost 192.0.2.100: the server has refused it", "bound 192.0.2.2"]


def test_a_lease_for_ever_is_never_renewed() -> None:
    server = Server()
    server.lease_s = dhcpv4.FOREVER_S
    link = bound(server)
    assert link.client.deadline is None
    link.run(10 * 365 * 24 * 3600)
    assert link.take_sent() == []
    assert "for ever" in repr(link.client)


def test_the_servers_own_times_count() -> None:
    server = Server()
    server.options[dhcpv4.RENEWAL_TIME] = (100).to_bytes(4, "big")
    server.options[dhcpv4.REBINDING_TIME] = (200).to_bytes(4, "big")
    link = bound(server)
    link.run(99)
    assert link.take_sent() == ["REQUEST to 192.0.2.1"]
    server.silent = True
    link.run(200)
    assert link.take_sent()[-1] == "REQUEST to all"


def test_an_address_of_somebody_elses_is_declined() -> None:
    server = Server()
    link = bound(server)
    link.client.conflict(link.now)
    assert link.take() == ["lost 192.0.2.100: somebody else has it"]
    ((_, decline, source, destination),) = link.sent
    assert decline.kind == dhcpv4.DECLINE
    assert (source, destination, decline.client_address) == (NOBODY, EVERYBODY, NOBODY)
    assert decline.options[dhcpv4.REQUESTED_ADDRESS] == FIRST
    assert decline.options[dhcpv4.SERVER_ID] == SERVER
    assert dhcpv4.PARAMETERS not in decline.options
    link.take_sent()
    # RFC 2131, 3.1 (5): ten seconds at least.
    link.run(9.9)
    assert link.take_sent() == []
    link.run(0.2)
    assert link.take() == ["bound 192.0.2.101"]
    link.client.conflict(link.now)
    link.take_sent()
    link.run(9.9)
    assert link.take_sent() == []


def test_an_address_is_given_back_at_the_end() -> None:
    server = Server()
    link = bound(server)
    link.client.release(link.now)
    assert link.take_sent() == ["RELEASE to 192.0.2.1"]
    assert link.take() == ["lost 192.0.2.100: released"]
    assert server.given == {}
    assert link.client.deadline is None
    link.client.release(link.now)
    link.client.stop(link.now)
    link.client.conflict(link.now)
    assert link.take_sent() == link.take() == []


def test_with_a_new_cable_the_lease_is_asked_about() -> None:
    link = bound(Server())
    link.client.link_down()
    link.run(10)
    link.client.link_up(link.now)
    ((_, request, source, destination),) = link.sent
    assert (source, destination, request.client_address) == (NOBODY, EVERYBODY, NOBODY)
    assert request.options[dhcpv4.REQUESTED_ADDRESS] == FIRST
    # RFC 2131, 4.3.2: a server that does not know this client stays silent only without that.
    assert dhcpv4.SERVER_ID not in request.options
    link.run(1)
    assert link.take() == ["bound 192.0.2.100"]


def test_with_a_new_cable_and_no_answer_the_lease_is_kept() -> None:
    server = Server()
    link = bound(server)
    server.silent = True
    link.client.link_down()
    link.client.link_up(link.now)
    link.run(20)
    assert link.take_sent() == ["REQUEST to all"] * 2
    assert link.take() == []
    assert link.client.state == dhcp.BOUND
    server.silent = False
    link.run(1800)
    assert link.take() == ["bound 192.0.2.100"]


def test_without_a_cable_nothing_is_asked_but_leases_expire() -> None:
    link = bound(Server())
    link.client.link_down()
    link.run(3595)
    assert link.take_sent() == link.take() == []
    link.run(10_000)
    assert link.take() == ["lost 192.0.2.100: expired"]
    assert link.take_sent() == []
    link.client.link_up(link.now)
    link.run(1)
    assert link.take() == ["bound 192.0.2.100"]


def test_a_client_that_begins_without_a_cable_waits_for_it() -> None:
    link = started(Server())
    link.client.stop(link.now)
    link.client.link_down()
    link.take_sent()
    link.client.start(link.now)
    link.client.link_down()
    link.run(1000)
    assert link.take_sent() == link.take() == []
    link.client.link_up(link.now)
    link.run(1)
    assert link.take() == ["bound 192.0.2.100"]


def test_what_is_asked_for_at_one_time_is_not_asked_for_by_all_at_once() -> None:
    xids, renewals = set(), set()
    for seed in range(20):
        link = started(Server(), seed=seed)
        link.run(1801)
        xids.add(link.sent[0][1].xid)
        renewals.add(round(link.sent[2][0]))
    assert len(xids) == 20
    assert len(renewals) > 10
