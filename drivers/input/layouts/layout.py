"""What a layout is: the characters of each key."""

from __future__ import annotations

from ovum.drivers.input import keys

PLAIN, SHIFT, ALTGR, SHIFT_ALTGR = range(4)
"""The levels of a key."""


class Layout:
    """The keys that make characters.

    `levels`: for each key code its characters without a modifier, with Shift, with AltGr, with
    both; between blanks, and shorter where a key has no more. `dead_…` names a dead key, of
    `compose.DEAD`. `altgr`: the right Alt key is AltGr; otherwise it is Alt. `decimal`: what the
    keypad's decimal key types.
    """

    def __init__(self, name: str, altgr: bool, decimal: str, levels: dict[int, str]) -> None:
        self.name = name
        self.altgr = altgr
        self.decimal = decimal
        self.levels = {code: tuple(text.split()) for code, text in levels.items()}
        self.levels[keys.KEY_SPACE] = (" ", " ", " ", " ")

    def __repr__(self) -> str:
        return f"<layout {self.name}>"

    def symbol(self, code: int, shift: bool, altgr: bool, caps_lock: bool = False) -> str:
        """The character or dead key that a key makes; "" if it makes none.

        Caps Lock is Shift for letters, and nothing for all other keys.
        """
        levels = self.levels.get(code, ())
        base = ALTGR if altgr else PLAIN
        pair = levels[base : base + 2]
        if not pair:
            return ""
        if len(pair) == 1:
            return pair[0]
        if caps_lock and pair[0] != pair[1] and pair[0].upper() == pair[1]:
            shift = not shift
        return pair[shift]
