"""Who calls whom, and what each touches of the ledger: read from the code itself, nothing is run.

A function *touches* a table when its body names it: inside `insert(…)`, `update(…)` or `delete(…)` it writes,
elsewhere it reads; a journal entry that it makes writes what its `insert` and `update` name. Names are
followed through imports, annotated arguments and fields; a class that is called stands for all its methods.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("flows", "connectors", "playbooks", "models")
ENTRY = "models.ledger.entry.Entry"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WRITERS = frozenset({"insert", "update", "delete"})
CHANGES = frozenset({"insert", "update"})
EVERYTHING = frozenset({"models.records.TRUTH"})
"""A list of all tables: who walks over it touches what its entries name, and no more."""


@dataclass(frozen=True)
class Touch:
    """What a piece of code reads and writes (names of tables) and the kinds of entries that it makes."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    def __or__(self, other: Touch) -> Touch:
        return Touch(self.reads | other.reads, self.writes | other.writes, self.kinds | other.kinds)


@dataclass
class Module:
    """One file: what its names mean, and its functions and classes by name."""

    name: str
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)
    made: dict[str, ast.AST] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)


class Code:
    """All our modules, parsed once."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.modules = {name: _module(name, path) for name, path in _files(root)}
        self._seen: dict[str, frozenset[str]] = {}
        self._own: dict[str, Touch] = {}
        self._places: dict[tuple[str, str], int | None] = {}

    @cached_property
    def tables(self) -> dict[str, str]:
        """class of models.records → the name of its table."""
        records = self.modules["models.records"]
        classes = [node for node in records.tree.body if isinstance(node, ast.ClassDef) and _is_table(node)]
        return {node.name: _table_name(node) for node in classes}

    @cached_property
    def truth(self) -> tuple[str, ...]:
        """The tables of truth, in the order of `TRUTH`."""
        value = _assigned(self.modules["models.records"], "TRUTH")
        assert isinstance(value, ast.Tuple)
        return tuple(self.tables[one.id] for one in value.elts if isinstance(one, ast.Name))

    def resolve(self, module: str, dotted: str) -> str | None:
        """The full name of what `dotted` means inside `module`, where it is ours."""
        head, _, rest = dotted.partition(".")
        there = self.modules[module]
        full = f"{module}.{head}" if head in there.made else there.names.get(head)
        return self._settle(f"{full}.{rest}" if rest else full) if full else None

    def _settle(self, full: str) -> str | None:
        """`models.ledger.journal.append` as it is defined, through re-exports; None when it is not ours."""
        if full in self.modules:
            return full
        for cut in range(full.count("."), 0, -1):
            parts = full.split(".")
            module, rest = ".".join(parts[:cut]), parts[cut:]
            if module not in self.modules:
                continue
            if rest[0] in self.modules[module].made:
                return ".".join([module, *rest])
            again = self.modules[module].names.get(rest[0])
            return self._settle(".".join([again, *rest[1:]])) if again else None
        return None

    def find(self, full: str) -> tuple[str, ast.AST, str | None] | None:
        """(module, node, class) of `module.name` or `module.Class.name`."""
        for cut in range(full.count("."), 0, -1):
            parts = full.split(".")
            module, rest = ".".join(parts[:cut]), parts[cut:]
            if module not in self.modules:
                continue
            node = self.modules[module].made.get(rest[0])
            if node is None or len(rest) > 2:
                return None
            if len(rest) == 1:
                return module, node, None
            inner = _member(node, rest[1])
            return (module, inner, rest[0]) if inner is not None else None
        return None

    def said(self, full: str) -> str:
        """The first sentence of a module's docstring."""
        told = ast.get_docstring(self.modules[full].tree) if full in self.modules else None
        first = " ".join((told or "").split("\n\n")[0].split())
        return re.split(r"(?<=[^.])\.(?: |$)", first)[0].rstrip(":")

    def specs(self, module: str, kind: str) -> Iterator[tuple[str, str]]:
        """(name, function) of each `kind("name", …, function)` that a module writes down."""
        for one in ast.walk(self.modules[module].tree):
            if (
                isinstance(one, ast.Call)
                and _dotted(one.func) == kind
                and isinstance(one.args[0], ast.Constant)
            ):
                work = self.resolve(module, _dotted(one.args[-1]) or "")
                if work:
                    yield str(one.args[0].value), work

    # ── calls ─────────────────────────────────────────────────────────────────────────────────

    def reach(self, *starts: str) -> frozenset[str]:
        """Everything that can be called from `starts`, themselves with it."""
        seen: set[str] = set()
        todo = list(starts)
        while todo:
            full = todo.pop()
            if full not in seen:
                seen.add(full)
                todo += self.calls(full)
        return frozenset(seen)

    def calls(self, full: str) -> frozenset[str]:
        """What the body of `full` names of ours: functions, classes, constants that hold functions."""
        if full not in self._seen:
            self._seen[full] = frozenset(self._calls(full))
        return self._seen[full]

    def _calls(self, full: str) -> Iterator[str]:
        found = self.find(full)
        if found is None:
            return
        module, node, owner = found
        if isinstance(node, ast.ClassDef):
            yield from (f"{full}.{one.name}" for one in node.body if isinstance(one, FUNCTIONS))
            return
        types = self._types(module, node, owner)
        for one in _spoken(node):
            if isinstance(one, ast.Name | ast.Attribute):
                meant = self._meaning(module, one, types)
                if meant and meant not in EVERYTHING and meant not in self.modules and self.find(meant):
                    yield meant

    def _types(self, module: str, node: ast.AST, owner: str | None) -> dict[str, str]:
        """argument → full name of its class, where it is annotated with one of ours."""
        if not isinstance(node, FUNCTIONS):
            return {}
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        found = {one.arg: self._class_of(module, one.annotation) for one in given if one.annotation}
        if owner and given and given[0].arg in ("self", "cls"):
            found[given[0].arg] = f"{module}.{owner}"
        for one in ast.walk(node):  # x = Class(…)
            if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call) and len(one.targets) == 1:
                target, made = one.targets[0], _dotted(one.value.func)
                if isinstance(target, ast.Name) and made:
                    found.setdefault(target.id, self._class_named(module, made))
        return {name: kind for name, kind in found.items() if kind}

    def _class_of(self, module: str, annotation: ast.expr | None) -> str | None:
        """The first class of ours in an annotation: `House`, `House | None`, `Callable[[House], str]` not."""
        if annotation is None:
            return None
        if isinstance(annotation, ast.BinOp):
            return self._class_of(module, annotation.left) or self._class_of(module, annotation.right)
        dotted = _dotted(annotation)
        return self._class_named(module, dotted) if dotted else None

    def _class_named(self, module: str, dotted: str) -> str | None:
        full = self.resolve(module, dotted)
        found = self.find(full) if full else None
        return full if found and isinstance(found[1], ast.ClassDef) else None

    def _meaning(self, module: str, node: ast.expr, types: dict[str, str]) -> str | None:
        dotted = _dotted(node)
        if dotted is None:
            return None
        head, _, rest = dotted.partition(".")
        if head in types:
            return self._member_of(types[head], rest.split(".")) if rest else None
        return self.resolve(module, dotted)

    def _member_of(self, kind: str, path: list[str]) -> str | None:
        """`house.desk.act` → the method, over annotated fields and properties."""
        found = self.find(f"{kind}.{path[0]}")
        if found is None:
            return None
        module, node, _ = found
        if len(path) == 1:
            return f"{kind}.{path[0]}" if isinstance(node, FUNCTIONS) else None
        told = node.returns if isinstance(node, FUNCTIONS) else getattr(node, "annotation", None)
        further = self._class_of(module, told)
        return self._member_of(further, path[1:]) if further else None

    # ── tables and entries ────────────────────────────────────────────────────────────────────

    def touched(self, *starts: str) -> Touch:
        """What can be read and written from `starts`, by anything that they call."""
        found = Touch()
        for full in self.reach(*starts):
            if full not in self._own:
                self._own[full] = self.own(full)
            found |= self._own[full]
        return found

    def own(self, full: str) -> Touch:
        """What the body of `full` itself touches."""
        found = self.find(full)
        if found is None or isinstance(found[1], ast.ClassDef):
            return Touch()
        module, node, _ = found
        named = self._named_tables(module, node)
        written = {table for where, table in named if where} | self._entered(module, node)
        read = {table for where, table in named if not where}
        return Touch(frozenset(read), frozenset(written), frozenset(self._kinds(module, node)))

    def _named_tables(self, module: str, node: ast.AST) -> set[tuple[bool, str]]:
        found = set()
        writing = {id(one) for call in ast.walk(node) if (one := self._written_by(module, call)) is not None}
        for said in _spoken(node):
            table = self._table(module, said)
            if table:
                found.add((id(said) in writing, table))
        return found

    def _written_by(self, module: str, call: ast.AST) -> ast.expr | None:
        """The argument of a call that is written to: insert(X), postgresql.insert(X), and what passes X on to one."""
        if not isinstance(call, ast.Call) or not call.args:
            return None
        dotted = _dotted(call.func) or ""
        if dotted.rpartition(".")[2] in WRITERS:
            return call.args[0]
        full = self.resolve(module, dotted) if dotted else None
        place = self._writes_argument(full) if full else None
        return call.args[place] if place is not None and place < len(call.args) else None

    def _writes_argument(self, full: str) -> int | None:
        """Which argument of a function of ours is a table that it writes to."""
        if ("table", full) not in self._places:
            self._places["table", full] = None  # should it call itself
            self._places["table", full] = self._find_written(full)
        return self._places["table", full]

    def _find_written(self, full: str) -> int | None:
        found = self.find(full)
        if found is None:
            return None
        module, node, _ = found
        names = _arguments(node)
        for call in ast.walk(node):
            given = self._written_by(module, call)
            if isinstance(given, ast.Name) and given.id in names:
                return names.index(given.id)
        return None

    def _table(self, module: str, node: ast.AST) -> str | None:
        """The table that a name means: SIGNAL, notices.ALERT, Signal (a class of records)."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        dotted = _dotted(node)
        full = self.resolve(module, dotted) if dotted else None
        found = self.find(full) if full else None
        if found is None:
            return None
        there, made, _ = found
        if there == "models.records" and isinstance(made, ast.ClassDef):
            return self.tables.get(made.name)
        value = made.value if isinstance(made, ast.Assign | ast.AnnAssign) else None
        if (
            isinstance(value, ast.Attribute)
            and value.attr == "__table__"
            and isinstance(value.value, ast.Name)
        ):
            return self.tables.get(value.value.id)
        return None

    def _entered(self, module: str, node: ast.AST) -> set[str]:
        """The tables of truth that entries made here insert into or update."""
        found: set[str] = set()
        for one in ast.walk(node):
            if isinstance(one, ast.Dict):
                for key, value in zip(one.keys, one.values, strict=True):
                    if key is not None and CHANGES & set(self._said(module, node, key)):
                        found |= self._keys(module, value)
            if isinstance(one, ast.Assign | ast.AugAssign):
                target = one.targets[0] if isinstance(one, ast.Assign) else one.target
                found |= self._subscripted(module, target, one.value)
        return found

    def _subscripted(self, module: str, target: ast.expr, value: ast.expr) -> set[str]:
        """payload["update"] = {…}, payload["update"]["incident"] = […]."""
        keys = _subscripts(target)
        if not keys or not CHANGES & set(keys):
            return set()
        return {key for key in keys if key in self.truth} or self._keys(module, value)

    def _keys(self, module: str, value: ast.expr, deep: int = 3) -> set[str]:
        """The tables that a mapping names, through `**`, `|` and the functions of ours that make it."""
        found: set[str] = set()
        for one in ast.walk(value):
            if isinstance(one, ast.Dict):
                said = {key.value for key in one.keys if isinstance(key, ast.Constant)}
                found |= {str(key) for key in said if key in self.truth}
            if isinstance(one, ast.Call) and deep and (dotted := _dotted(one.func)):
                full = self.resolve(module, dotted)
                made = self.find(full) if full else None
                if made and isinstance(made[1], FUNCTIONS) and _gives_mapping(made[1]):
                    for inner in ast.walk(made[1]):
                        if isinstance(inner, ast.Return) and inner.value:
                            found |= self._keys(made[0], inner.value, deep - 1)
        return found

    def _kinds(self, module: str, node: ast.AST) -> Iterator[str]:
        """The kinds of the entries made here: written at `Entry(…)`, or handed to a function that makes one."""
        for call in ast.walk(node):
            place = self._kind_argument(module, call)
            if place is not None and isinstance(call, ast.Call):
                yield from self._said(module, node, _argument(call, place, "kind"))

    def _kind_argument(self, module: str, call: ast.AST) -> int | None:
        """Which argument of this call becomes the kind of an entry."""
        dotted = _dotted(call.func) if isinstance(call, ast.Call) else None
        full = self.resolve(module, dotted) if dotted else None
        if full is None or full == ENTRY:
            return 0 if full else None
        if ("kind", full) not in self._places:
            self._places["kind", full] = None  # should it call itself
            self._places["kind", full] = self._find_kind(full)
        return self._places["kind", full]

    def _find_kind(self, full: str) -> int | None:
        found = self.find(full)
        if found is None:
            return None
        there, made, _ = found
        names = _arguments(made)
        for call in ast.walk(made):
            place = self._kind_argument(there, call)
            given = (
                _argument(call, place, "kind") if isinstance(call, ast.Call) and place is not None else None
            )
            if isinstance(given, ast.Name) and given.id in names:
                return names.index(given.id)
        return None

    def _said(self, module: str, node: ast.AST, given: ast.expr | None) -> Iterator[str]:
        """The texts that an expression may be: as written, or as a name is set in the same body."""
        if isinstance(given, ast.Name):
            for one in ast.walk(node):
                if isinstance(one, ast.Assign) and any(_sets(target, given.id) for target in one.targets):
                    yield from self._looked_up(module, one.value)
        elif given is not None:
            yield from self._looked_up(module, given)

    def _looked_up(self, module: str, given: ast.expr) -> Iterator[str]:
        """A text as written; KINDS.get(state, "alert_refused") is each that KINDS holds."""
        if not isinstance(given, ast.Call):
            yield from _texts(given)
            return
        full = self.resolve(module, (_dotted(given.func) or "").removesuffix(".get"))
        found = self.find(full) if full else None
        held = getattr(found[1], "value", None) if found else None
        for one in [*(held.values if isinstance(held, ast.Dict) else ()), *given.args[1:]]:
            yield from _texts(one)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _module(name: str, path: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = Module(name, tree)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):  # also those inside functions, where a heavy part is imported late
        if isinstance(node, ast.Import):
            found.imports |= {one.name for one in node.names}
            found.names |= {
                one.asname or one.name.split(".")[0]: one.name if one.asname else one.name.split(".")[0]
                for one in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            base = node.module or "" if not node.level else package
            found.imports.add(base)
            found.names |= {one.asname or one.name: f"{base}.{one.name}" for one in node.names}
    for node in tree.body:
        for made in _made(node):
            found.made[made] = node
    return found


def _made(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign):
        yield from (one.id for one in node.targets if isinstance(one, ast.Name))


def _spoken(node: ast.AST) -> Iterator[ast.AST]:
    """Every node of a body but its annotations: a type that is named is not called."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST):
                yield one
                yield from _spoken(one)


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return None


def _member(node: ast.AST, name: str) -> ast.AST | None:
    if not isinstance(node, ast.ClassDef):
        return None
    for one in node.body:
        if isinstance(one, FUNCTIONS) and one.name == name:
            return one
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.target.id == name:
            return one
    return None


def _is_table(node: ast.ClassDef) -> bool:
    return any(one.arg == "table" for one in node.keywords)


def _table_name(node: ast.ClassDef) -> str:
    for one in node.body:
        if (
            isinstance(one, ast.Assign)
            and isinstance(one.targets[0], ast.Name)
            and one.targets[0].id == "__tablename__"
        ):
            assert isinstance(one.value, ast.Constant)
            return str(one.value.value)
    return node.name.lower()


def _assigned(module: Module, name: str) -> ast.expr | None:
    node = module.made[name]
    return node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None


def _subscripts(node: ast.expr) -> list[str]:
    if not isinstance(node, ast.Subscript):
        return []
    key = [str(node.slice.value)] if isinstance(node.slice, ast.Constant) else []
    return [*_subscripts(node.value), *key]


def _gives_mapping(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.returns is not None and "dict" in ast.unparse(node.returns).lower()


def _arguments(node: ast.AST) -> list[str]:
    return (
        [one.arg for one in node.args.args]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        else []
    )


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    named = next((one.value for one in call.keywords if one.arg == name), None)
    return call.args[place] if place < len(call.args) else named


def _sets(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
