"""Programs that put the kernel under stress: run in a guest by `tests.guest.test_stress`; by hand,

    python -m tests.guest.stress_run PROGRAM ARGUMENTS...

from the project's folder says what there is.
"""
