"""In a machine of ovum's, or in a Linux guest: frames counted for a while, each way.

Prints one line of JSON: figures by their names. The other end is `bench.network_cards`: it sends
frames from "go receive SIZE" until "stop".
"""

import json
import time

SECONDS = 2.0
SIZES = (60, 1514)
BATCH = 64
TEST_TYPE = b"\x88\xb5"
SILENCE_S = 0.3

HEAD = b"\xff" * 6 + b"\x02\0\0\0\0\1" + TEST_TYPE


def words(text: str) -> bytes:
    """A frame that says something to the other end."""
    return (HEAD + text.encode()).ljust(60, b"\0")


def in_the_kernel() -> int:
    """Frames that Linux's driver has received."""
    with open("/sys/class/net/eth0/statistics/rx_packets") as file:
        return int(file.read())


def in_linux() -> dict[str, float]:
    """A packet socket: one system call for each frame."""
    import socket

    card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
    card.bind(("eth0", 0x88B5))
    buffer = bytearray(2048)
    figures: dict[str, float] = {}
    for size in SIZES:
        card.settimeout(30)
        card.send(words(f"go receive {size}"))
        card.recv_into(buffer)
        count = 0
        receive = card.recv_into
        clock = time.perf_counter
        before = in_the_kernel()
        begun = now = clock()
        while now < begun + SECONDS:
            for _ in range(BATCH):
                receive(buffer)
            count += BATCH
            now = clock()
        figures[f"receive {size}"] = count / (now - begun)
        # Most of a flood never reaches the socket.
        figures[f"receive {size}, in the kernel"] = (in_the_kernel() - before) / (now - begun)
        card.send(words("stop"))
        card.settimeout(SILENCE_S)
        try:
            while True:
                card.recv_into(buffer)
        except TimeoutError:
            pass
    for size in SIZES:
        frame = HEAD + bytes(size - len(HEAD))
        card.send(words(f"go transmit {size}"))
        send = card.send
        count = 0
        begun = now = time.perf_counter()
        while now < begun + SECONDS:
            for _ in range(BATCH):
                send(frame)
            count += BATCH
            now = time.perf_counter()
        figures[f"transmit {size}"] = count / (now - begun)
        card.send(words("stop"))
    card.send(words("over"))
    return figures


async def in_ovum() -> dict[str, float]:
    """The driver itself, in batches."""
    from ovum.drivers import manager
    from ovum.drivers.frames import Frame
    from ovum.services.tasks import move_on_after

    (card,) = manager.find("network")
    await card.set_filter(promiscuous=True)
    clock = time.perf_counter
    figures: dict[str, float] = {}
    for size in SIZES:
        await card.transmit([Frame(words(f"go receive {size}"))])
        await card.receive()
        count = batches = 0
        begun = now = clock()
        while now < begun + SECONDS:
            count += len(await card.receive())
            batches += 1
            now = clock()
        figures[f"receive {size}"] = count / (now - begun)
        figures[f"frames in a batch of {size}"] = count / batches
        # Once more, with a look at the clock around what the driver does with what is there.
        count = 0
        taking = 0.0
        begun = now = clock()
        while now < begun + SECONDS:
            before = clock()
            frames = card.receive_nowait()
            after = clock()
            if frames:
                taking += after - before
                count += len(frames)
                now = after
            else:
                count += len(await card.receive())
                now = clock()
        figures[f"receive {size}, us of the driver for a frame"] = taking / count * 1e6
        figures[f"receive {size}, share of the driver"] = taking / (now - begun)
        await card.transmit([Frame(words("stop"))])
        with move_on_after(10):
            while True:
                with move_on_after(SILENCE_S) as silence:
                    await card.receive()
                if silence.cancelled_caught:
                    break
    for size in SIZES:
        data = HEAD + bytes(size - len(HEAD))
        await card.transmit([Frame(words(f"go transmit {size}"))])
        count = 0
        putting = 0.0
        begun = now = clock()
        while now < begun + SECONDS:
            batch = [Frame(data) for _ in range(BATCH)]
            before = clock()
            done = card.transmit_nowait(batch)
            putting += clock() - before
            if done < BATCH:
                await card.transmit(batch[done:])
            count += BATCH
            now = clock()
        figures[f"transmit {size}"] = count / (now - begun)
        figures[f"transmit {size}, share of the driver"] = putting / (now - begun)
        await card.transmit([Frame(words("stop"))])
    await card.transmit([Frame(words("over"))])
    return figures


def main() -> None:
    """Measures."""
    try:
        from ovum.drivers import manager
    except ImportError:
        print(json.dumps(in_linux()), flush=True)
        return
    from ovum.services.main import call

    manager.start()
    print(json.dumps(call(in_ovum)), flush=True)


main()
