"""A stand-in for `typing.Generic` at run time: importing typing costs more than this package."""

GenericAlias = type(list[int])
"""types.GenericAlias."""

T = T_co = None
"""What the type variables are at run time."""


class _Base:
    __slots__ = ()
    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]
