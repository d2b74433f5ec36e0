"""The words `ovum.net=`: what each means, and what is told of those that mean nothing."""

import pytest

from ovum.net.clients.settings import Settings, parse_settings, settings_for, settings_of
from ovum.net.wire import addr

Fields = dict[str, object]


def fields(settings: Settings) -> Fields:
    """What differs from no settings at all, addresses as text."""
    nothing = Settings()
    found: Fields = {}
    for name in Settings.__slots__:
        value = getattr(settings, name)
        if value != getattr(nothing, name):
            if name in ("dns", "gateways", "ntp"):
                value = [addr.text(one) for one in value]
            elif name == "addresses":
                value = [f"{addr.text(one)}/{length}" for one, length in value]
            found[name] = value
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dhcp", {"dhcp": True}),
        ("none", {"off": True}),
        ("hostname=egg", {"dhcp": True, "hostname": "egg"}),
        ("192.0.2.5/24", {"addresses": ["192.0.2.5/24"]}),
        (
            "interface=eth1,192.0.2.5/31,gateway=192.0.2.4,dns=192.0.2.1,dns=2001:db8::1,mtu=1400",
            {
                "interface": "eth1", "addresses": ["192.0.2.5/31"], "gateways": ["192.0.2.4"],
                "dns": ["192.0.2.1", "2001:db8::1"], "ip_mtu": 1400,
            },
        ),
        (
            "2001:db8::5/64,gateway=fe80::1,search=example.org.,search=b_c,ntp=192.0.2.9,dhcp",
            {
                "dhcp": True, "addresses": ["2001:db8::5/64"], "gateways": ["fe80::1"],
                "search": ["example.org", "b_c"], "ntp": ["192.0.2.9"],
            },
        ),
        ("none,hostname=egg", {"off": True, "hostname": "egg"}),
    ],
)  # fmt: skip
def test_what_the_words_mean(text: str, expected: Fields) -> None:
    assert fields(parse_settings(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty part"),
        ("dhcp,", "an empty part"),
        ("static", "unknown"),
        ("192.0.2.5", "unknown"),
        ("gw=192.0.2.1", "unknown"),
        ("192.0.2.5/33", "no length"),
        ("192.0.2.5/0", "no length"),
        ("192.0.2.5/x", "no length"),
        ("192.0.2.5/²", "no length"),
        ("192.0.2/24", "no IP address"),
        ("1.2.3.4.5/24", "no IP address"),
        ("2001:db8:::1/64", "no IP address"),
        ("224.0.0.1/24", "no address for a machine"),
        ("127.0.0.1/8", "no address for a machine"),
        ("0.0.0.0/8", "no address for a machine"),
        ("ff02::1/64", "no address for a machine"),
        ("::1/128", "no address for a machine"),
        ("192.0.2.5/24,gateway=fe80::1", "a gateway without an address of its kind"),
        ("gateway=192.0.2.1", "a gateway without an address of its kind"),
        ("dns=example.org", "no IP address"),
        ("search=-a", "no domain name"),
        ("search=a..b", "no domain name"),
        ("search=", "no domain name"),
        ("hostname=a/b", "no domain name"),
        (f"hostname={'a.' * 32}a", "64 characters"),
        ("mtu=67", "no MTU"),
        ("mtu=65536", "no MTU"),
        ("mtu=", "no MTU"),
        ("interface=", "no interface's name"),
        ("interface=a/b", "no interface's name"),
        ("none,dhcp", "none, and something"),
        ("none,192.0.2.1/24", "none, and something"),
    ],
)
def test_mistakes_are_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_settings(text)


def test_a_command_line_may_say_more_than_that() -> None:
    line = "ovum.log=3 ovum.net=interface=eth1,none ovum.net=192.0.2.5/24 -- ovum.net=dhcp"
    first, second = settings_of(line)
    assert (first.interface, first.off) == ("eth1", True)
    assert settings_for("eth1", [first, second]) is first
    assert settings_for("eth0", [first, second]) is second
    assert settings_for("eth0", [first]).dhcp
    assert settings_of("") == []
    with pytest.raises(ValueError, match="unknown"):
        settings_of("ovum.net=static")
