"""Router advertisements, redirects and resolvers (RFC 4861, sections 6 and 8; RFC 4191, 8106)."""

from __future__ import annotations

from errno import ENETUNREACH

import pytest

from ovum.net.iface.events import RESOLVERS
from ovum.net.iface.route import ADVERTISED, REDIRECT
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, ndp
from ovum.net.wire.ndp_options import Options, Prefix, RouteInformation

from .lab import (
    FAR6,
    MAC,
    OTHER_MAC,
    PEER6,
    PEER_LINK,
    US6,
    Lab,
    advertisement,
    icmpv6_frame,
    ipv6_of,
    kind_of,
)

ROUTER_A = addr.parse("fe80::a")
ROUTER_B = addr.parse("fe80::b")
RESOLVER = addr.parse("2001:db8::53")


@pytest.fixture
def lab() -> Lab:
    return Lab()


def ra(
    lifetime_s: int = 1800,
    options: Options | None = None,
    router: bytes = ROUTER_A,
    mac: bytes = MAC,
    preference: int = ndp.MEDIUM,
    **values: int,
) -> bytes:
    options = options or Options()
    options.source_mac = mac
    message = ndp.RouterAdvertisement(lifetime_s, options, preference=preference)
    for name, value in values.items():
        setattr(message, name, value)
    return icmpv6_frame(ndp.emit(message), router, addr.ALL_NODES6, mac=mac)


def gateway(lab: Lab, remote: bytes = FAR6) -> bytes:
    neighbor = lab.stack.path(remote).neighbor
    assert neighbor is not None
    return neighbor.address


def solicitations(lab: Lab) -> int:
    count = 0
    for frame in lab.sent():
        if kind_of(frame) == 0x86DD and ipv6_of(frame)[1][0] == 133:
            assert ipv6_of(frame)[0].dst == addr.ALL_ROUTERS6
            count += 1
    return count


def test_routers_are_asked_for_three_times() -> None:
    lab = Lab(quiet=False)
    lab.wait(60 * SECOND)
    assert solicitations(lab) == 3


def test_they_are_asked_no_more_once_one_has_answered() -> None:
    lab = Lab(quiet=False)
    lab.wait(4 * SECOND)
    assert solicitations(lab) == 1
    lab.give(ra())
    lab.wait(60 * SECOND)
    assert solicitations(lab) == 0


def test_a_router_becomes_the_default_route_for_its_lifetime(lab: Lab) -> None:
    with pytest.raises(OSError) as raised:
        lab.stack.path(FAR6)
    assert raised.value.errno == ENETUNREACH
    lab.give(ra(1800))
    assert gateway(lab) == ROUTER_A
    assert lab.link.nd.entries[ROUTER_A].mac == MAC
    assert lab.link.nd.entries[ROUTER_A].router
    lab.wait(1799 * SECOND)
    assert gateway(lab) == ROUTER_A
    lab.wait(SECOND)
    with pytest.raises(OSError, match="no route"):
        lab.stack.path(FAR6)
    assert lab.count("route_expired") == 1


def test_a_lifetime_of_zero_takes_it_away(lab: Lab) -> None:
    lab.give(ra())
    lab.give(ra(0))
    with pytest.raises(OSError, match="no route"):
        lab.stack.path(FAR6)


def test_the_preferred_router_is_taken(lab: Lab) -> None:
    lab.give(ra(), ra(router=ROUTER_B, mac=OTHER_MAC, preference=ndp.HIGH))
    assert gateway(lab) == ROUTER_B
    lab.give(ra(router=ROUTER_B, mac=OTHER_MAC, preference=ndp.LOW))
    assert gateway(lab) == ROUTER_A


def test_a_router_that_does_not_answer_is_passed_over(lab: Lab) -> None:
    lab.give(ra(), ra(router=ROUTER_B, mac=OTHER_MAC))
    assert gateway(lab) == ROUTER_A
    endpoint, _ = lab.endpoint(6)
    endpoint.connect(FAR6, 9)
    endpoint.send(b"x")
    lab.wait(10 * SECOND)  # delay, probe, failed
    assert gateway(lab) == ROUTER_B
    lab.sent()
    endpoint.send(b"y")
    assert lab.sent_one()[:6] == OTHER_MAC
    lab.give(ra())  # it is back
    lab.wait(SECOND)
    assert gateway(lab) == ROUTER_A


def test_a_router_that_says_it_is_none_is_used_no_more(lab: Lab) -> None:
    lab.give(ra())
    lab.give(advertisement(ROUTER_A, router=False, dst=US6))
    with pytest.raises(OSError, match="no route"):
        lab.stack.path(FAR6)


def test_more_specific_routes(lab: Lab) -> None:
    options = Options()
    options.routes.append(RouteInformation(addr.parse("2001:db8:ffff::"), 48, ndp.LOW, 600))
    lab.give(ra(), ra(0, options, ROUTER_B, OTHER_MAC))
    assert gateway(lab) == ROUTER_B
    lab.wait(600 * SECOND)
    assert gateway(lab) == ROUTER_A


def test_the_links_parameters(lab: Lab) -> None:
    options = Options()
    options.ip_mtu = 1400
    lab.give(ra(1800, options, hop_limit=77, reachable_ms=20_000, retransmit_ms=2000))
    path = lab.stack.path(FAR6)
    assert (path.hop_limit, path.ip_mtu) == (77, 1400)
    assert lab.link.nd.reachable_ns == 20 * SECOND
    assert lab.link.nd.retransmit_ns == 2 * SECOND


@pytest.mark.parametrize("mtu", [1279, 1501, 0, 0xFFFFFFFF])
def test_an_mtu_that_cannot_be_is_ignored(lab: Lab, mtu: int) -> None:
    options = Options()
    options.ip_mtu = mtu
    lab.give(ra(1800, options))
    assert lab.stack.path(FAR6).ip_mtu == 1500


def test_a_prefix_on_the_link_needs_no_router(lab: Lab) -> None:
    options = Options()
    options.prefixes.append(Prefix(addr.parse("2001:db8:5::"), 64, True, False, 100, 100))
    lab.give(ra(1800, options))
    neighbor = addr.parse("2001:db8:5::9")
    assert gateway(lab, neighbor) == neighbor
    lab.wait(100 * SECOND)
    assert gateway(lab, neighbor) == ROUTER_A


def test_resolvers_and_domains_and_their_end(lab: Lab) -> None:
    options = Options()
    options.resolvers.append((100, [RESOLVER]))
    options.search.append((200, ["example.org", "example.net"]))
    lab.give(ra(1800, options))
    assert lab.link.resolvers == [RESOLVER]
    assert lab.link.search_domains == ["example.org", "example.net"]
    assert lab.told.count((RESOLVERS, lab.link)) == 1
    lab.give(ra(1800, options))
    assert lab.told.count((RESOLVERS, lab.link)) == 1
    lab.wait(100 * SECOND)
    assert lab.link.resolvers == []
    assert lab.link.search_domains == ["example.org", "example.net"]
    lab.wait(100 * SECOND)
    assert lab.link.search_domains == []
    assert lab.told.count((RESOLVERS, lab.link)) == 3


def test_what_advertisements_bring_is_bounded() -> None:
    settings = Settings()
    lab = Lab(settings)
    for number in range(500):
        options = Options()
        prefix = addr.parse("2001:db8::")[:6] + number.to_bytes(2, "big") + bytes(8)
        options.prefixes.append(Prefix(prefix, 64, True, True, 0xFFFFFFFF, 0xFFFFFFFF))
        options.routes.append(RouteInformation(prefix, 56, 0, 0xFFFFFFFF))
        options.resolvers.append((0xFFFFFFFF, [prefix[:15] + b"\x35"]))
        options.search.append((0xFFFFFFFF, [f"d{number}.example"]))
        router = ROUTER_A[:8] + (1000 + number).to_bytes(8, "big")
        lab.give(ra(9000, options, router, b"\x02\x07" + number.to_bytes(4, "big")))
        lab.sent()
    lab.wait(10 * SECOND)
    routes = [each for each in lab.stack.routes(6) if each.origin == ADVERTISED]
    assert len(routes) <= settings.router_routes_max + settings.prefixes_max
    assert len(lab.link.addresses6) <= settings.prefixes_max + 2
    assert len(lab.link.resolvers) == settings.resolvers_max
    assert len(lab.link.search_domains) == settings.resolvers_max
    assert len(lab.link.nd.entries) <= settings.neighbors_max


def test_advertisements_can_be_refused() -> None:
    settings = Settings()
    settings.accept_router_advertisements = False
    lab = Lab(settings)
    lab.give(ra())
    assert lab.count("nd_advertisements_ignored") == 1
    assert not [each for each in lab.stack.routes(6) if each.origin == ADVERTISED]


def test_an_advertisement_from_no_link_local_address_is_dropped(lab: Lab) -> None:
    lab.give(ra(router=PEER6))
    assert lab.count("ndp_router_not_link_local") == 1


# Redirects (section 8)


def redirect(
    target: bytes, destination: bytes = FAR6, router: bytes = ROUTER_A, mac: bytes = OTHER_MAC
) -> bytes:
    message = ndp.Redirect(target, destination, Options(target_mac=mac))
    return icmpv6_frame(ndp.emit(message), router, US6)


def test_a_redirect_from_the_first_hop_is_followed_for_a_while(lab: Lab) -> None:
    lab.give(ra())
    lab.give(redirect(ROUTER_B))
    assert gateway(lab) == ROUTER_B
    assert lab.link.nd.entries[ROUTER_B].mac == OTHER_MAC
    lab.wait(601 * SECOND)
    assert gateway(lab) == ROUTER_A


def test_a_redirect_to_the_link(lab: Lab) -> None:
    lab.give(ra())
    lab.give(redirect(FAR6))
    assert gateway(lab) == FAR6


def test_a_redirect_from_another_than_the_first_hop_is_not(lab: Lab) -> None:
    lab.give(ra())
    lab.give(redirect(PEER_LINK, router=ROUTER_B))
    assert gateway(lab) == ROUTER_A
    assert lab.count("nd_redirect_not_first_hop") == 1


def test_redirects_are_bounded() -> None:
    settings = Settings()
    settings.redirects_max = 10
    lab = Lab(settings)
    lab.give(ra())
    for number in range(100):
        lab.give(redirect(ROUTER_B, FAR6[:8] + number.to_bytes(8, "big")))
    assert len([each for each in lab.stack.routes(6) if each.origin == REDIRECT]) == 10
