"""gevent: libev with greenlets, time limits, a pool of threads, sockets, pipes, signals."""

import os
import signal
import socket as plain
import threading

import gevent
import gevent.event
import gevent.lock
import gevent.os
import gevent.pool
import gevent.queue
import gevent.socket
import gevent.threadpool

LONG = 20.0

# What a greenlet raises is told where it is waited for, not on standard error besides.
gevent.get_hub().exception_stream = None


def sleeper(number: int) -> int:
    gevent.sleep(0.005 * (number % 10))
    return number


jobs = [gevent.spawn(sleeper, number) for number in range(500)]
gevent.joinall(jobs, timeout=LONG, raise_error=True)
print("many", sum(job.value for job in jobs))

queue: "gevent.queue.Queue[int]" = gevent.queue.Queue(4)
gate = gevent.lock.BoundedSemaphore(3)
inside = [0, 0]


def produce() -> None:
    for number in range(200):
        queue.put(number)
    queue.put(-1)


def limited(number: int) -> int:
    with gate:
        inside[0] += 1
        inside[1] = max(inside)
        gevent.sleep(0)
        inside[0] -= 1
    return number * 2


gevent.spawn(produce)
got = 0
while (number := queue.get(timeout=LONG)) >= 0:
    got += number
print("queue", got, sum(gevent.pool.Pool(10).map(limited, range(100))), inside)

seen: list[str] = []


def waits() -> None:
    try:
        gevent.sleep(LONG)
    finally:
        seen.append("cleaned up")


with gevent.Timeout(0.01, False):
    waits()
try:
    with gevent.Timeout(0.01, ValueError("too slow")):
        gevent.event.Event().wait()
except ValueError as error:
    seen.append(str(error))
doomed = gevent.spawn(waits)
gevent.sleep(0)
doomed.kill()
failing = gevent.spawn(int, "x")
failing.join()
print("limits", seen, doomed.dead, repr(failing.exception))
result: "gevent.event.AsyncResult[str]" = gevent.event.AsyncResult()
gevent.spawn_later(0.005, result.set, "later")
print("event", result.get(timeout=LONG))

# Real threads: the loop goes on while they work, and they wake it.
pool = gevent.threadpool.ThreadPool(4)
ticks = [0]


def tick() -> None:
    while True:
        gevent.sleep(0.001)
        ticks[0] += 1


ticking = gevent.spawn(tick)
release = threading.Event()
gevent.spawn_later(0.02, release.set)
print(
    "pool",
    sum(pool.map(lambda value: value * value, range(200))),
    pool.apply(release.wait, (LONG,)),
)
ticking.kill()
try:
    pool.apply(int, ("x",))
except ValueError as error:
    print("pool", error)
pool.kill()
watcher = gevent.get_hub().loop.async_()
woken = gevent.event.Event()
watcher.start(woken.set)
timer = threading.Timer(0.02, watcher.send)
timer.start()
print("woken", woken.wait(LONG))
timer.join()
watcher.close()

left, right = gevent.socket.socketpair()
payload = bytes(range(256)) * 2000


def echo() -> None:
    while data := right.recv(10_000):
        right.sendall(data.swapcase())
    right.close()


def send() -> None:
    left.sendall(payload)
    left.shutdown(plain.SHUT_WR)


workers = [gevent.spawn(echo), gevent.spawn(send)]
received = bytearray()
with gevent.Timeout(LONG):
    while data := left.recv(50_000):
        received += data
gevent.joinall(workers, raise_error=True)
left.settimeout(0.01)
print("pairs", len(received), bytes(received) == payload.swapcase())
left.close()

read_end, write_end = os.pipe()
for end in (read_end, write_end):
    gevent.os.make_nonblocking(end)


def feed() -> None:
    rest = b"0123456\n" * 40_000
    while rest:
        rest = rest[gevent.os.nb_write(write_end, rest) :]
    os.close(write_end)


feeding = gevent.spawn(feed)
length = 0
with gevent.Timeout(LONG):
    while data := gevent.os.nb_read(read_end, 60_000):
        length += len(data)
os.close(read_end)
print("pipes", length)

arrived = gevent.event.Event()
handler = gevent.signal_handler(signal.SIGUSR1, arrived.set)
threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1)).start()
print("signals", arrived.wait(LONG))
handler.cancel()
