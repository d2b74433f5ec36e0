"""CPython's own tests, in a guest and on Linux, and what differs."""
