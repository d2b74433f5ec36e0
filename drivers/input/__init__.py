"""Keyboards and pointers: key codes, events, layouts, what keys send to a terminal."""
