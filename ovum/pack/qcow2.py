"""QEMU's disk format: docs/interop/qcow2.txt of QEMU, version 3 of the header.

Clusters of zeros are left out; the others follow one another in the disk's order.
"""

import struct
from pathlib import Path
from typing import Final

from ovum.atomic import replaced

CLUSTER_BITS: Final = 16
CLUSTER: Final = 1 << CLUSTER_BITS

_HEADER: Final = struct.Struct(">4sIQIIQIIQQIIQQQQII")
_REFCOUNT_ORDER: Final = 4
"""Counts of 16 bits."""
_PER_BLOCK: Final = CLUSTER // 2
_PER_TABLE: Final = CLUSTER // 8
_COPIED: Final = 1 << 63
"""Nobody else uses this cluster: it may be written to."""
_ZEROS: Final = bytes(CLUSTER)


def _up(count: int, unit: int) -> int:
    return -(-count // unit)


def write_qcow2(raw: Path, out: Path) -> None:
    """Writes the qcow2 file of a raw disk, whose size is in whole sectors. Raises OSError."""
    size = raw.stat().st_size
    with raw.open("rb") as source:
        used = []
        for number in range(_up(size, CLUSTER)):
            cluster = source.read(CLUSTER)
            if cluster != _ZEROS[: len(cluster)]:
                used.append(number)
        tables = sorted({number // _PER_TABLE for number in used})
        level_1 = _up(_up(size, CLUSTER), _PER_TABLE)
        level_1_clusters = _up(level_1 * 8, CLUSTER)
        # Header, table of reference counts, their blocks (which are counted, too), L1, L2, data.
        others = 2 + level_1_clusters + len(tables) + len(used)
        blocks = _up(others, _PER_BLOCK - 1)
        total = others + blocks
        first_block, level_1_at = 2, 2 + blocks
        level_2_at = level_1_at + level_1_clusters
        data_at = level_2_at + len(tables)
        with replaced(out) as file:
            header = _HEADER.pack(
                *(b"QFI\xfb", 3, 0, 0, CLUSTER_BITS, size, 0, level_1, level_1_at * CLUSTER),
                *(CLUSTER, 1, 0, 0, 0, 0, 0, _REFCOUNT_ORDER, _HEADER.size),
            )
            file.write(header.ljust(CLUSTER, b"\0"))
            starts = [(first_block + index) * CLUSTER for index in range(blocks)]
            file.write(struct.pack(f">{blocks}Q", *starts).ljust(CLUSTER, b"\0"))
            file.write(struct.pack(f">{total}H", *[1] * total).ljust(blocks * CLUSTER, b"\0"))
            first = [0] * level_1
            for index, table in enumerate(tables):
                first[table] = (level_2_at + index) * CLUSTER | _COPIED
            file.write(struct.pack(f">{level_1}Q", *first).ljust(level_1_clusters * CLUSTER, b"\0"))
            place = {number: data_at + index for index, number in enumerate(used)}
            for table in tables:
                numbers = range(table * _PER_TABLE, (table + 1) * _PER_TABLE)
                second = [place[n] * CLUSTER | _COPIED if n in place else 0 for n in numbers]
                file.write(struct.pack(f">{_PER_TABLE}Q", *second))
            for number in used:
                source.seek(number * CLUSTER)
                file.write(source.read(CLUSTER).ljust(CLUSTER, b"\0"))
