"""Multicast groups: what routers are told, and when (RFC 2236, 3376; 2710, 3590, 3810)."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from ovum.net.iface.events import GROUPS
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, igmp, ipv6, mld
from ovum.net.wire.igmp import IS_EXCLUDE, TO_EXCLUDE, TO_INCLUDE, Query, Report

from .lab import PEER, PEER_LINK, US, US_LINK, Lab, icmpv6_frame, ipv4_frame, ipv4_of, kind_of

GROUP4, GROUP6 = addr.parse("239.1.2.3"), addr.parse("ff05::123")
OTHER4 = addr.parse("239.9.9.9")


@pytest.fixture(params=[4, 6])
def version(request: pytest.FixtureRequest) -> Iterator[int]:
    yield request.param


@pytest.fixture
def lab() -> Lab:
    return Lab()


def group_of(version: int) -> bytes:
    return GROUP4 if version == 4 else GROUP6


def join(lab: Lab, version: int) -> bytes:
    group = group_of(version)
    lab.stack.join(lab.now, lab.link, group)
    return group


def settle(lab: Lab, version: int) -> bytes:
    group = join(lab, version)
    lab.wait(30 * SECOND)
    lab.sent()
    return group


def reports(lab: Lab) -> list[tuple[bytes, Report]]:
    """(destination, report) of all that were sent."""
    found = []
    for frame in lab.sent():
        if kind_of(frame) == 0x0800:
            head, payload = ipv4_of(frame)
            assert (head.ttl, head.protocol, head.src) == (1, 2, US)
            assert head.options == b"\x94\x04\0\0"
            message = igmp.parse(payload)
        else:
            head6 = ipv6.parse(frame, 14)
            chain = ipv6.walk(frame[14:])
            assert (head6.hop_limit, head6.src, chain.router_alert) == (1, US_LINK, True)
            message = mld.parse(frame[14 + chain.offset :], head6.src, 1)
            head = head6  # type: ignore[assignment]
        assert isinstance(message, Report)
        assert frame[:6] == addr.multicast_mac(head.dst)
        found.append((head.dst, message))
    return found


def kinds(lab: Lab) -> list[tuple[int, bytes]]:
    return [(kind, group) for _, each in reports(lab) for kind, group, _ in each.records]


def query(version: int, of: int, group: bytes = b"", wait_ms: int = 1000) -> bytes:
    """A router's; `of`: version of IGMP or MLD."""
    group = group or bytes(4 if version == 4 else 16)
    message = Query(of, group, wait_ms)
    if version == 4:
        dst = group if any(group) else addr.ALL_HOSTS4
        return ipv4_frame(
            igmp.emit_query(message), 2, PEER, dst, ttl=1, to=addr.multicast_mac(dst),
            options=b"\x94\x04\0\0",
        )  # fmt: skip
    dst = group if any(group) else addr.ALL_NODES6
    return icmpv6_frame(
        mld.emit_query(message), PEER_LINK, dst, hop_limit=1, extension=ipv6.MLD_ALERT
    )


def test_joining_is_told_twice_with_the_newest_version(lab: Lab, version: int) -> None:
    group = join(lab, version)
    assert kinds(lab) == [(TO_EXCLUDE, group)]
    lab.wait(2 * SECOND)
    ((destination, report),) = reports(lab)
    assert [(kind, each) for kind, each, _ in report.records] == [(TO_EXCLUDE, group)]
    assert destination == (igmp.REPORTS3 if version == 4 else addr.MLD2_ROUTERS6)
    lab.wait(100 * SECOND)
    assert not reports(lab)


def test_leaving_is_told_twice(lab: Lab, version: int) -> None:
    group = settle(lab, version)
    lab.stack.leave(lab.now, lab.link, group)
    assert kinds(lab) == [(TO_INCLUDE, group)]
    lab.wait(2 * SECOND)
    assert kinds(lab) == [(TO_INCLUDE, group)]
    lab.wait(100 * SECOND)
    assert not reports(lab)


def test_members_are_counted(lab: Lab, version: int) -> None:
    group = settle(lab, version)
    lab.stack.join(lab.now, lab.link, group)
    lab.stack.leave(lab.now, lab.link, group)
    assert not reports(lab)
    assert group in lab.link.accept
    lab.stack.leave(lab.now, lab.link, group)
    assert group not in lab.link.accept
    with pytest.raises(OSError) as raised:
        lab.stack.leave(lab.now, lab.link, group)
    assert raised.value.errno == errno.EADDRNOTAVAIL


def test_the_cards_filter_is_told(lab: Lab, version: int) -> None:
    mac = addr.multicast_mac(group_of(version))
    assert mac not in lab.link.mac_groups
    group = join(lab, version)
    assert mac in lab.link.mac_groups
    assert (GROUPS, lab.link) in lab.told
    lab.stack.leave(lab.now, lab.link, group)
    assert mac not in lab.link.mac_groups


def test_a_query_is_answered_within_its_time_with_all_groups(lab: Lab, version: int) -> None:
    group = settle(lab, version)
    lab.give(query(version, 3 if version == 4 else 2))
    assert not reports(lab)
    lab.wait(SECOND)
    found = kinds(lab)
    assert (IS_EXCLUDE, group) in found
    assert len(found) == (1 if version == 4 else 2)  # and the solicited-node group
    assert addr.ALL_NODES6 not in [each for _, each in found]


def test_a_query_about_one_group(lab: Lab, version: int) -> None:
    group = settle(lab, version)
    lab.give(query(version, 3 if version == 4 else 2, group))
    lab.wait(SECOND)
    assert kinds(lab) == [(IS_EXCLUDE, group)]


def test_a_router_of_an_old_version_gets_old_reports(lab: Lab, version: int) -> None:
    group = settle(lab, version)
    old = 2 if version == 4 else 1
    lab.give(query(version, old))
    lab.wait(SECOND)
    found = [(dst, each.kind) for dst, each in reports(lab) if dst == group]
    assert found == [(group, igmp.REPORT2 if version == 4 else 131)]
    lab.stack.leave(lab.now, lab.link, group)
    ((dst, report),) = reports(lab)
    assert report.kind == (igmp.LEAVE if version == 4 else 132)
    assert dst == (igmp.ROUTERS if version == 4 else addr.ALL_ROUTERS6)
    # It is forgotten after a while.
    lab.wait(401 * SECOND)
    join(lab, version)
    assert kinds(lab) == [(TO_EXCLUDE, group)]


def test_a_router_of_version_1_gets_no_leave(lab: Lab) -> None:
    group = settle(lab, 4)
    lab.give(query(4, 1, wait_ms=10_000))
    lab.wait(10 * SECOND)
    assert [each.kind for _, each in reports(lab)] == [igmp.REPORT1]
    lab.stack.leave(lab.now, lab.link, group)
    # RFC 2236, 3: the leave may be sent anyway; a router of version 1 ignores it.
    assert [each.kind for _, each in reports(lab)] in ([], [igmp.LEAVE])


def test_another_hosts_report_is_enough_for_an_old_router(lab: Lab) -> None:
    group = settle(lab, 4)
    lab.give(query(4, 2))
    other = igmp.emit_message(igmp.REPORT2, group)
    lab.give(ipv4_frame(other, 2, PEER, group, ttl=1, to=addr.multicast_mac(group)))
    lab.wait(5 * SECOND)
    assert not reports(lab)
    lab.stack.leave(lab.now, lab.link, group)
    assert not reports(lab)


def test_groups_that_all_are_in_are_not_told(lab: Lab) -> None:
    for group in (addr.ALL_HOSTS4, addr.ALL_NODES6, addr.parse("ff01::5")):
        lab.stack.join(lab.now, lab.link, group)
    lab.wait(10 * SECOND)
    assert not reports(lab)


def test_all_is_told_again_on_another_network(lab: Lab, version: int) -> None:
    group = settle(lab, version)
    lab.stack.link_changed(lab.now, lab.link, False)
    lab.wait(SECOND)
    lab.stack.link_changed(lab.now, lab.link, True)
    reported = []
    for frame in lab.sent():
        if frame[12:14] == b"\x08\0" and frame[23] == 2:
            message = igmp.parse(ipv4_of(frame)[1])
        elif frame[12:14] == b"\x86\xdd" and frame[20] == 0:
            message = mld.parse(frame[62:], frame[22:38], 1)
        else:
            continue
        assert isinstance(message, Report)
        reported += [each for _, each, _ in message.records]
    assert group in reported


def test_groups_are_bounded(version: int) -> None:
    settings = Settings()
    settings.groups_max = 10
    lab = Lab(settings)
    base = group_of(version)
    with pytest.raises(OSError) as raised:
        for number in range(11):
            lab.stack.join(lab.now, lab.link, base[:-1] + bytes((number,)))
    assert raised.value.errno == errno.ENOBUFS


def test_joining_and_leaving_fast_is_bounded(lab: Lab, version: int) -> None:
    base = group_of(version)
    lab.stack.settings.groups_max = 10
    for number in range(1000):
        group = base[:-2] + number.to_bytes(2, "big")
        lab.stack.join(lab.now, lab.link, group)
        lab.stack.leave(lab.now, lab.link, group)
    groups = lab.link.groups4 if version == 4 else lab.link.groups6
    assert len(groups._left) <= 10
    lab.wait(100 * SECOND)
    assert not groups._left


@pytest.mark.parametrize("group", [US, bytes(4), b"\xff" * 4, bytes(3)])
def test_what_is_no_group_cannot_be_joined(lab: Lab, group: bytes) -> None:
    with pytest.raises(OSError) as raised:
        lab.stack.join(lab.now, lab.link, group)
    assert raised.value.errno == errno.EINVAL


def test_messages_that_are_none(lab: Lab) -> None:
    good = igmp.emit_query(Query(3, bytes(4), 1000))
    lab.give(
        ipv4_frame(good, 2),
        ipv4_frame(good[:7], 2, dst=addr.ALL_HOSTS4, to=addr.multicast_mac(addr.ALL_HOSTS4)),
    )
    assert (lab.count("igmp_not_to_group"), lab.count("igmp_short")) == (1, 1)
    frame = icmpv6_frame(mld.emit_query(Query(2, bytes(16), 1000)), PEER_LINK, addr.ALL_NODES6)
    lab.give(frame)  # its hop limit is not 1
    assert lab.count("mld_hop_limit_bad") == 1
    lab.wait(10 * SECOND)
    assert not reports(lab)


def test_the_loopback_interface_has_groups_and_tells_nobody(lab: Lab) -> None:
    loopback = lab.stack.interfaces[1]
    lab.stack.join(lab.now, loopback, OTHER4)
    assert OTHER4 in loopback.accept
    lab.wait(10 * SECOND)
    assert not loopback.outbox
