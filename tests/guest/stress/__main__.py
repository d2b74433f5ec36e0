"""Runs the program named by the first argument with the others."""

import importlib
import sys

importlib.import_module(f".{sys.argv[1]}", __package__).main(sys.argv[2:])
