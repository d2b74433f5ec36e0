"""The C type behind functools.partial: importing functools costs more than all of services."""

from functools import partial as partial
