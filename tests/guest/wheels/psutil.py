"""psutil: what it says of the machine and of this process, as far as it can be foretold."""

import os
import tempfile
import threading
import time
from pathlib import Path

import psutil

memory = psutil.virtual_memory()
print(
    "memory",
    0 < memory.available <= memory.total,
    memory.total == os.sysconf("SC_PHYS_PAGES") * 4096
    or abs(memory.total / (os.sysconf("SC_PHYS_PAGES") * 4096) - 1) < 0.05,
    0 < memory.percent < 100,
)
print(
    "processors",
    psutil.cpu_count() == os.cpu_count(),
    psutil.cpu_count(logical=False) in (None, 1, 2),
)
times = psutil.cpu_times()
print("times", times.user >= 0, times.idle >= 0)
before = psutil.cpu_times()
end = time.monotonic() + 0.2
while time.monotonic() < end:
    pass
after = psutil.cpu_times()
print("busy", sum(after) > sum(before), 0 <= psutil.cpu_percent(0.05) <= 100)
print("load", len(psutil.getloadavg()) == 3)
print("boot", 0 <= time.time() - psutil.boot_time() < 1e8)

me = psutil.Process()
print("process", me.pid == os.getpid(), me.is_running(), me.name() != "", me.status())
print("cmdline", me.cmdline()[-1:] != [], me.exe() != "")
print("started", abs(time.time() - me.create_time()) < 1000)
start = me.memory_info().rss
block = bytearray(b"x") * (64 << 20)
grown = me.memory_info().rss - start
print("rss", (60 << 20) < grown < (80 << 20), me.memory_info().vms > me.memory_info().rss)
del block
release = threading.Event()
extra = [threading.Thread(target=release.wait, daemon=True) for _ in range(3)]
count = me.num_threads()
for one in extra:
    one.start()
print("threads", me.num_threads() - count)
release.set()
for one in extra:
    one.join()
used = me.cpu_times()
print("used", used.user + used.system > 0.1, me.ppid() >= 0, me.username() != "", me.nice())
print("environ", me.environ().get("HOME") == os.environ.get("HOME"))
print("others", psutil.pid_exists(os.getpid()), os.getpid() in psutil.pids())
names = {thread.id for thread in me.threads()}
print("thread list", len(names) == me.num_threads())
with tempfile.NamedTemporaryFile("w") as opened:
    print("files", me.num_fds() > 3, opened.name in [file.path for file in me.open_files()])
print("io", me.io_counters().read_count >= 0, me.cwd() == str(Path.cwd()))
print("full", me.memory_full_info().uss > 0)
print("disk", psutil.disk_usage("/").total > 0)
try:
    psutil.Process(99999999)
except psutil.NoSuchProcess as error:
    print(error)
