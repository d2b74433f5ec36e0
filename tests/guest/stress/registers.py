"""Pre-emption and signals are invisible to what they interrupt.

Threads hold patterns in every register while a timer fires as fast as it can and signals with a
handler on an alternate stack hit them, one after the other.
"""

import ctypes
import signal
import threading
import time
from typing import Final

LIBRARY: Final = "/opt/registers.so"
HOLDERS: Final = 3
STACK: Final = 64 * 1024
NUMBER: Final = signal.SIGRTMIN + 3
KINDS: Final = (
    *("general registers", "flags", "red zone", "vector registers", "MXCSR", "x87 state"),
    *("thread pointer", "signal frame"),
)
Counts: Final = ctypes.c_uint64 * (len(KINDS) + 2)


def main(arguments: list[str]) -> None:
    """SECONDS."""
    library = ctypes.CDLL(LIBRARY)
    library.disturb.restype = ctypes.c_uint64
    stop = ctypes.c_uint8(0)
    counts, by_handler = [Counts() for _ in range(HOLDERS)], Counts()
    wakes: list[int] = []
    everyone = threading.Barrier(HOLDERS + 1)
    stacks = [ctypes.create_string_buffer(STACK) for _ in range(HOLDERS)]

    def hold(index: int) -> None:
        library.use_stack(ctypes.c_uint64(ctypes.addressof(stacks[index])), ctypes.c_uint64(STACK))
        everyone.wait()
        library.hold_registers(ctypes.c_uint64(index + 1), ctypes.byref(stop), counts[index])

    def disturb() -> None:
        targets = (ctypes.c_uint64 * HOLDERS)(*(thread.native_id or 0 for thread in holders))
        wakes.append(
            library.disturb(
                ctypes.byref(stop),
                targets,
                ctypes.c_uint64(HOLDERS),
                ctypes.c_uint64(NUMBER),
            )
        )

    library.handle(ctypes.c_uint64(NUMBER), ctypes.byref(by_handler))
    holders = [threading.Thread(target=hold, args=(index,)) for index in range(HOLDERS)]
    for thread in holders:
        thread.start()
    everyone.wait()
    disturber = threading.Thread(target=disturb)
    disturber.start()
    time.sleep(float(arguments[0]))
    stop.value = 1
    for thread in (*holders, disturber):
        thread.join()
    rounds = [int(found[len(KINDS)]) for found in counts]
    signals = int(by_handler[len(KINDS) + 1])
    wrong = {
        kind: sum(int(found[n]) for found in (*counts, by_handler)) for n, kind in enumerate(KINDS)
    }
    print(f"rounds {rounds}, {wakes[0]} wakes, {signals} signals, wrong: {wrong}", flush=True)
    assert not any(wrong.values())
    seconds = float(arguments[0])
    assert min(rounds) > 100 * seconds and wakes[0] > 100 * seconds and signals > 20 * seconds
