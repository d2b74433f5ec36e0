"""The benchmarks: ovum beside a Linux guest in the same emulator, and what an image costs."""
