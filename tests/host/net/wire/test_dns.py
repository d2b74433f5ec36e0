"""DNS messages."""

from __future__ import annotations

import random

import pytest

from ovum.net.wire import dns, dns_names
from ovum.net.wire.errors import WireError
from tests.host.net.wire.captures import DNS_QUERY, DNS_RESPONSE


def record(kind: int, data: bytes, name: bytes = b"\0") -> dns.Record:
    """As it is read in a response with a question of 17 bytes, example.com."""
    head = bytes.fromhex("0001 8180 0001 0001 0000 0000")
    asked = b"\7example\3com\0\0\1\0\1"
    tail = name + kind.to_bytes(2, "big") + bytes.fromhex("0001 0000003c")
    message = dns.parse(head + asked + tail + len(data).to_bytes(2, "big") + data)
    (found,) = message.answers
    return found


def test_a_query_is_read_and_written() -> None:
    message = dns.parse(DNS_QUERY)
    assert (message.ident, message.flags) == (0xDB42, dns.RECURSION_DESIRED)
    (question,) = message.questions
    assert (question.name, question.kind, question.space) == ("www.northeastern.edu", dns.A, dns.IN)
    assert dns.emit(message) == DNS_QUERY
    assert dns.emit_query(0xDB42, "www.northeastern.edu.", dns.A, 0) == DNS_QUERY


def test_a_response_is_read() -> None:
    message = dns.parse(DNS_RESPONSE)
    assert message.code == dns.NO_ERROR
    (answer,) = message.answers
    assert (answer.name, answer.kind, answer.ttl) == ("www.northeastern.edu", dns.A, 600)
    assert (answer.text, answer.data) == ("155.33.17.68", bytes((155, 33, 17, 68)))
    assert dns.answers_query(message, dns.parse(DNS_QUERY))


def test_edns_is_asked_for_and_read() -> None:
    message = dns.parse(dns.emit_query(1, "example.com", dns.AAAA))
    (option,) = message.additional
    assert (option.kind, option.space) == (dns.OPT, dns.EDNS_SIZE)
    option.ttl = 1 << 24
    message.flags = dns.RESPONSE
    assert message.code == 16


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (dns.AAAA, bytes(15) + b"\1", "::1"),
        (dns.CNAME, b"\1a\xc0\x0c", "a.example.com"),
        (dns.NS, b"\xc0\x14", "com"),
        (dns.PTR, b"\0", ""),
        (dns.MX, b"\0\x0a\4mail\xc0\x0c", "10 mail.example.com"),
        (dns.SRV, b"\0\1\0\2\x1f\x90\xc0\x0c", "1 2 8080 example.com"),
        (dns.TXT, b'\5a b"\\\0\3x\x00y', '"a b\\"\\\\" "" "x\\000y"'.replace(' ""', ' ""')),
        (
            dns.SOA,
            b"\2ns\xc0\x0c\4root\xc0\x0c" + bytes((0, 0, 0, 1) * 5),
            "ns.example.com root.example.com 1 1 1 1 1",
        ),
        (999, b"\xab\xcd", "abcd"),
    ],
)
def test_records_have_their_text(kind: int, data: bytes, text: str) -> None:
    found = record(kind, data, b"\xc0\x0c")
    assert found.text == text
    assert (found.name, found.ttl, found.data) == ("example.com", 60, data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (dns.A, b"abc"),
        (dns.A, b"abcde"),
        (dns.AAAA, b"abcd"),
        (dns.MX, b"\0\1"),
        (dns.MX, b"\0\1\1a\0\0"),
        (dns.SRV, b"\0\1\0\2\0\3"),
        (dns.TXT, b"\5abc"),
        (dns.CNAME, b"\xc0\x0c\0"),
        (dns.SOA, b"\0\0" + bytes(19)),
        (dns.SOA, b"\0\0" + bytes(21)),
    ],
)
def test_records_of_a_wrong_size_are_refused(kind: int, data: bytes) -> None:
    with pytest.raises(WireError, match="dns_record_bad"):
        record(kind, data)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"\xc0\x1d", "dns_pointer_bad"),  # to itself
        (b"\xc0\x1f", "dns_pointer_bad"),  # forward
        (b"\1a\xc0\x1d", "dns_pointer_bad"),  # to its own beginning
        (b"\x40a", "dns_label_bad"),
        (b"\x80a", "dns_label_bad"),
        (b"\x3fabc", "dns_short"),
        (b"\xc0", "dns_short"),
        ((b"\x3f" + b"a" * 63) * 4 + b"\0", "dns_name_long"),
    ],
)
def test_bad_names_are_refused(name: bytes, reason: str) -> None:
    head = bytes.fromhex("0001 8180 0001 0001 0000 0000") + b"\7example\3com\0\0\1\0\1"
    with pytest.raises(WireError, match=reason):
        dns.parse(head + name + (bytes(10) if len(name) > 2 and name[0] != 63 else b""))


def test_pointers_are_few() -> None:
    data = b"\0" + b"".join(
        (0xC000 | max(0, at - 2)).to_bytes(2, "big") for at in range(1, 9000, 2)
    )
    for at in (1, 201):
        assert dns_names.parse_name(data, at) == ("", at + 2)
    with pytest.raises(WireError, match="dns_pointer_bad"):
        dns_names.parse_name(data, 601)


def test_a_truncated_message_has_what_was_whole() -> None:
    data = bytearray(DNS_RESPONSE)
    data[7] = 2
    with pytest.raises(WireError, match="dns_short"):
        dns.parse(data)
    data[2] |= dns.TRUNCATED >> 8
    assert [answer.text for answer in dns.parse(data).answers] == ["155.33.17.68"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("", b"\0"),
        (".", b"\0"),
        ("a", b"\1a\0"),
        ("a.b.", b"\1a\1b\0"),
        ("a\\.b.c", b"\3a.b\1c\0"),
        ("a\\\\b", b"\3a\\b\0"),
        ("\\000\\255", b"\2\0\xff\0"),
        ("x" * 63, b"\x3f" + b"x" * 63 + b"\0"),
    ],
)
def test_names_are_written_and_read(name: str, data: bytes) -> None:
    assert dns_names.emit_name(name) == data
    text, end = dns_names.parse_name(data, 0)
    assert end == len(data)
    assert text == name.rstrip(".")


@pytest.mark.parametrize(
    "name", ["..", ".a", "a..b", "x" * 64, "a\\", "a\\25", "ä", "a." * 127 + "bb"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"domain name|ASCII"):
        dns_names.emit_name(name)


def test_the_longest_name() -> None:
    name = ".".join(["a"] * 127)
    data = dns_names.emit_name(name)
    assert len(data) == 255
    assert dns_names.parse_name(data, 0) == (name, 255)
    with pytest.raises(ValueError, match="too long"):
        dns_names.emit_name(name + ".a")


def test_random_names_are_read_as_they_were_written() -> None:
    rng = random.Random(13)
    for _ in range(500):
        labels = [rng.randbytes(rng.randrange(1, 8)) for _ in range(rng.randrange(1, 6))]
        data = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
        text, _ = dns_names.parse_name(data, 0)
        assert dns_names.emit_name(text) == data


def test_only_what_was_asked_is_an_answer() -> None:
    query = dns.parse(DNS_QUERY)
    assert dns.answers_query(dns.parse(DNS_RESPONSE), query)
    for at, value in ((0, 1), (2, 1), (13, 0x78), (35, dns.AAAA), (37, 3)):
        data = bytearray(DNS_RESPONSE)
        data[at] = value
        assert not dns.answers_query(dns.parse(data), query)
    response = dns.parse(DNS_RESPONSE)
    response.questions[0].name = "WWW.Northeastern.edu"
    assert dns.answers_query(response, query)
    response.questions = []
    assert not dns.answers_query(response, query)
    response.flags = dns.RESPONSE | dns.FORMAT_ERROR
    assert dns.answers_query(response, query)


def test_reverse_names() -> None:
    assert dns.reverse_name(b"\x0a\0\2\x0f") == "15.2.0.10.in-addr.arpa"
    assert dns.reverse_name(bytes(15) + b"\1") == "1." + "0." * 31 + "ip6.arpa"


def test_the_topmost_bit_of_a_lifetime_makes_it_0() -> None:
    data = bytearray(DNS_RESPONSE)
    at = data.index(bytes.fromhex("00000258"))
    data[at] = 0x80
    assert dns.parse(data).answers[0].ttl == 0
