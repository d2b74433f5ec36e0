"""greenlet: thousands of stacks taking turns on a thread, exceptions crossing, more threads."""

import threading

import greenlet


def producer(numbers: int) -> str:
    for number in range(numbers):
        greenlet.getcurrent().parent.switch(number)
    return "end"


source = greenlet.greenlet(producer)
taken = [source.switch(5)]
while not source.dead:
    taken.append(source.switch())
print(taken)

trace: list[int] = []


def deep(level: int, number: int) -> int:
    """Switches away at the bottom of a stack of its own."""
    if level == 0:
        trace.append(number)
        main.switch()
        return number
    return deep(level - 1, number) + 1


main = greenlet.getcurrent()
ring = [greenlet.greenlet(deep) for _ in range(2000)]
for number, one in enumerate(ring):
    one.switch(number % 40, number)
results = [one.switch() for one in reversed(ring)]
print(len(trace), sum(results), all(one.dead for one in ring))


def sorting() -> list[int]:
    """Switches from within a function of C that calls back."""
    return sorted(range(8), key=lambda value: main.switch(value) or -value)


inside = greenlet.greenlet(sorting)
seen = [inside.switch()]
while not inside.dead:
    seen.append(inside.switch())
print(seen)


def failing() -> None:
    try:
        main.switch("before")
    except KeyError as error:
        raise ValueError("changed") from error


one = greenlet.greenlet(failing)
print(one.switch())
try:
    one.throw(KeyError("thrown in"))
except ValueError as error:
    print(repr(error), repr(error.__cause__))

ended: list[str] = []


def abandoned() -> None:
    try:
        main.switch()
    except greenlet.GreenletExit:
        ended.append("ended")


forgotten = greenlet.greenlet(abandoned)
forgotten.switch()
del forgotten
print(ended)

sums: dict[int, int] = {}


def thread(number: int) -> None:
    def add(values: range) -> int:
        total = 0
        for value in values:
            total += value
            own.switch()
        return total

    own = greenlet.getcurrent()
    workers = [greenlet.greenlet(add) for _ in range(20)]
    last = [worker.switch(range(number * 30)) for worker in workers]
    while not all(worker.dead for worker in workers):
        last = [worker.switch() for worker in workers]
    sums[number] = sum(last)


threads = [threading.Thread(target=thread, args=(number,)) for number in range(1, 5)]
for item in threads:
    item.start()
for item in threads:
    item.join()
print(sorted(sums.items()))
try:
    greenlet.greenlet(producer, parent=3)
except TypeError as error:
    print("TypeError", error)
