"""Stamped lines, as the peers' run_all.py reads them."""

import re

from bench.lines import Line, LineSplitter, Until
from bench.machine import Stamp

EARLY = Stamp(0.5, 0.25)
LATE = Stamp(1.5, 1.25)


def test_a_line_is_printed_with_wall_and_processor_time() -> None:
    text = str(Line(Stamp(1.25, 0.5), "READY"))
    match = re.fullmatch(r"\[\s*([0-9.]+)\s+([0-9.]+)\] (.*)", text)
    assert match is not None
    assert (float(match[1]), float(match[2]), match[3]) == (1.25, 0.5, "READY")


def test_a_line_in_pieces_has_the_stamp_of_its_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(EARLY, b"BENCH a ") == []
    assert splitter.feed(LATE, b"1 s\r\nBENCH b 2 s\nDO") == [
        Line(LATE, "BENCH a 1 s"),
        Line(LATE, "BENCH b 2 s"),
    ]
    assert splitter.finish(LATE) == [Line(LATE, "DO")]
    assert splitter.finish(LATE) == []


def test_bytes_that_are_no_text_do_not_matter() -> None:
    assert LineSplitter().feed(EARLY, b"\xff\n")[0].text == "\N{REPLACEMENT CHARACTER}"


def test_until_stops_at_the_line_that_matches() -> None:
    until = Until("^DONE|^READY")
    assert until.reached(Line(EARLY, "READY"))
    assert not until.reached(Line(EARLY, "not READY"))


def test_without_a_pattern_no_line_is_the_last() -> None:
    assert not Until(None).reached(Line(EARLY, "READY"))
