"""Reads from a module's binary what it imports and exports, and with which types.

The C API ends the whole process when it is asked for a vector or a garbage-collected type, so types
come from here. Sections and their encoding: WebAssembly 3.0, chapter 5. Only a module that the
compiler has accepted is read, so what would not be valid is not looked for.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

NAMES: "Final" = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
    0x6E: "anyref",
    0x6D: "eqref",
    0x6C: "i31ref",
    0x6B: "structref",
    0x6A: "arrayref",
    0x69: "exnref",
    0x71: "nullref",
    0x72: "nullexternref",
    0x73: "nullfuncref",
    0x74: "nullexnref",
    0x78: "i8",
    0x77: "i16",
}
KINDS: "Final" = ("func", "table", "memory", "global", "tag")


class FuncType:
    """What a function takes and gives: names of types, as in the text format."""

    __slots__ = ("params", "results")

    def __init__(self, params: tuple[str, ...], results: tuple[str, ...]) -> None:
        self.params = params
        self.results = results

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FuncType):
            return NotImplemented
        return (self.params, self.results) == (other.params, other.results)

    def __hash__(self) -> int:
        return hash((self.params, self.results))

    def __repr__(self) -> str:
        return f"({', '.join(self.params)}) -> ({', '.join(self.results)})"


class Extent:
    """The size of a memory in pages of 64 KiB, or of a table in elements."""

    __slots__ = ("element", "maximum", "minimum", "shared", "wide")

    def __init__(
        self,
        minimum: int,
        maximum: int | None,
        element: str = "",
        *,
        wide: bool = False,
        shared: bool = False,
    ) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.element = element
        self.wide = wide
        self.shared = shared

    def __repr__(self) -> str:
        most = "" if self.maximum is None else self.maximum
        return " ".join(filter(None, (f"{self.minimum}..{most}", self.element)))


class GlobalType:
    """The type of a global variable."""

    __slots__ = ("content", "mutable")

    def __init__(self, content: str, mutable: bool) -> None:
        self.content = content
        self.mutable = mutable

    def __repr__(self) -> str:
        return f"mut {self.content}" if self.mutable else self.content


class Import:
    """What a module wants: from which module, by which name, of which kind and type."""

    __slots__ = ("kind", "module", "name", "type")

    def __init__(self, module: str, name: str, kind: str, type: object) -> None:  # noqa: A002
        self.module = module
        self.name = name
        self.kind = kind
        self.type = type

    def __repr__(self) -> str:
        return f"<import {self.module}.{self.name}: {self.kind} {self.type}>"


class Export:
    """What a module gives: its name, kind and type."""

    __slots__ = ("kind", "name", "type")

    def __init__(self, name: str, kind: str, type: object) -> None:  # noqa: A002
        self.name = name
        self.kind = kind
        self.type = type

    def __repr__(self) -> str:
        return f"<export {self.name}: {self.kind} {self.type}>"


def is_component(data: bytes) -> bool:
    """Whether this is a component: the same magic number as a module's, another layer."""
    return data[:4] == b"\0asm" and data[6:8] == b"\1\0"


class Reader:
    """The sections of one module."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 8
        self._types: list[FuncType | None] = []
        self.imports: list[Import] = []
        self.exports: list[Export] = []
        self._spaces: dict[str, list[object]] = {kind: [] for kind in KINDS}
        readers: dict[int, Callable[[], None]] = {
            1: self._read_types,
            2: self._read_imports,
            3: self._read_functions,
            4: self._read_tables,
            5: self._read_memories,
            6: self._read_globals,
            7: self._read_exports,
            13: self._read_tags,
        }
        while self._at < len(data):
            section = self._byte()
            end = self._number() + self._at
            if section in readers:
                readers[section]()
            self._at = end
            if section == 7:
                break

    @property
    def plain(self) -> bool:
        """Whether all functions' types are ones that the C API can tell about, too."""
        simple = {"i32", "i64", "f32", "f64", "funcref", "externref"}
        known = [type_ for type_ in self._types if type_ is not None]
        return all(simple.issuperset((*one.params, *one.results)) for one in known)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        result = shift = 0
        while True:
            byte = self._byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    def _name(self) -> str:
        size = self._number()
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def _value_type(self) -> str:
        code = self._byte()
        if code in (0x63, 0x64):
            # A reference by heap type, which may be the number of a type.
            null = "null " if code == 0x63 else ""
            if self._data[self._at] in NAMES:
                name = NAMES[self._byte()]
                return name if null else f"ref {name}"
            return f"ref {null}{self._number()}"
        return NAMES[code]

    def _read_types(self) -> None:
        for _ in range(self._number()):
            group = self._number() if self._data[self._at] == 0x4E and self._byte() else 1
            for _ in range(group):
                self._types.append(self._composite())

    def _composite(self) -> FuncType | None:
        form = self._byte()
        while form in (0x4F, 0x50):
            for _ in range(self._number()):
                self._number()
            form = self._byte()
        if form == 0x60:
            params = tuple(self._value_type() for _ in range(self._number()))
            return FuncType(params, tuple(self._value_type() for _ in range(self._number())))
        for _ in range(self._number() if form == 0x5F else 1):
            self._value_type()
            self._byte()
        return None

    def _read_imports(self) -> None:
        for _ in range(self._number()):
            module, name = self._name(), self._name()
            kind = self._byte()
            wanted = self._described(kind)
            self._spaces[KINDS[kind]].append(wanted)
            self.imports.append(Import(module, name, KINDS[kind], wanted))

    def _described(self, kind: int) -> object:
        if kind == 0:
            return self._types[self._number()]
        if kind == 1:
            return self._table()
        if kind == 2:
            return self._limits("")
        if kind == 3:
            return self._global()
        self._byte()
        return self._types[self._number()]

    def _table(self) -> Extent:
        return self._limits(self._value_type())

    def _limits(self, element: str) -> Extent:
        flags = self._byte()
        minimum = self._number()
        maximum = self._number() if flags & 1 else None
        if flags & 8:
            self._number()
        return Extent(minimum, maximum, element, wide=bool(flags & 4), shared=bool(flags & 2))

    def _global(self) -> GlobalType:
        content = self._value_type()
        return GlobalType(content, self._byte() == 1)

    def _read_functions(self) -> None:
        functions = self._spaces["func"]
        functions += [self._types[self._number()] for _ in range(self._number())]

    def _read_tables(self) -> None:
        for _ in range(self._number()):
            initialised = self._data[self._at] == 0x40
            if initialised:
                self._at += 2
            self._spaces["table"].append(self._table())
            if initialised:
                self._skip_expression()

    def _read_memories(self) -> None:
        self._spaces["memory"] += [self._limits("") for _ in range(self._number())]

    def _read_tags(self) -> None:
        for _ in range(self._number()):
            self._spaces["tag"].append(self._described(4))

    def _read_globals(self) -> None:
        for _ in range(self._number()):
            self._spaces["global"].append(self._global())
            self._skip_expression()

    def _read_exports(self) -> None:
        for _ in range(self._number()):
            name = self._name()
            kind = KINDS[self._byte()]
            self.exports.append(Export(name, kind, self._spaces[kind][self._number()]))

    def _skip_expression(self) -> None:
        """A constant expression, up to its end (3.3.10 and the instructions of 5.4 in it)."""
        while True:
            code = self._byte()
            if code == 0x0B:
                return
            if code in (0x41, 0x42, 0x23, 0xD2, 0xD0):
                self._number()
            elif code in (0x43, 0x44):
                self._at += 4 if code == 0x43 else 8
            elif code == 0xFD:
                self._number()
                self._at += 16
            elif code == 0xFB:
                operation = self._number()
                # struct.new and struct.new_default, array.new…: how many numbers follow.
                for _ in range({0: 1, 1: 1, 6: 1, 7: 1, 8: 2}.get(operation, 0)):
                    self._number()
