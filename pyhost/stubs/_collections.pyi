"""The C type behind collections.deque: importing collections costs more than all of services."""

from collections import deque as deque
