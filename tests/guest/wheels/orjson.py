"""orjson: what it writes and reads, and what it refuses."""

import dataclasses
import datetime
import random
import uuid

import orjson


@dataclasses.dataclass
class Point:
    x: int
    y: float


chance = random.Random(5)
records = [
    {
        "id": number,
        "name": "".join(chance.choice('abcäöü€😀\\"\n') for _ in range(12)),
        "point": Point(number, chance.random()),
        "when": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
        + datetime.timedelta(seconds=number),
        "key": uuid.UUID(int=number),
        "nested": {"values": [None, True, -(2**53), 1e300, [[]]]},
    }
    for number in range(2000)
]
packed = orjson.dumps(records)
print(len(packed), packed[:200])
read = orjson.loads(packed)
print(read[7], [one["name"] for one in read] == [one["name"] for one in records])
print(orjson.dumps(read[3], option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode())
print(orjson.dumps({1: {2, 3} and 4, "d": object}, default=str, option=orjson.OPT_NON_STR_KEYS))
for text in (b"[1,", b'"\xff"', b"[1e999]", b'{"a":1}x', b"[" * 2000):
    try:
        print(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        print(error)
for value in (object(), 2**64, "\ud800"):
    try:
        orjson.dumps(value)
    except TypeError as error:
        print(error)
