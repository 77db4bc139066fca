"""Every mutant of one source file: mutmut's operators on all of it, and our own on its checks and tables."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

_SHOWN = 100
_AROUND = 30
_LEFT_ALONE = (cst.Annotation, cst.Import, cst.ImportFrom)
# As mutmut does: these mutants only raise TypeError.
_CALLS_LEFT_ALONE = ("len", "isinstance")


@dataclass(frozen=True)
class Mutant:
    """A source with one fault in it.

    Attributes:
        label: where it is and what was changed, without line numbers; unique in its file.
        line: line of the change, from 1.
        source: the whole file with the fault.
    """

    label: str
    line: int
    source: str


def mutants_of(source: str, leave: Sequence[str] = ()) -> list[Mutant]:
    """Return every mutant of a source that compiles, each once.

    Args:
        source: Python.
        leave: patterns of string literals to leave alone; each has to match a whole literal.
    """
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Visitor(_enumerations(wrapper.module), [re.compile(each) for each in leave])
    wrapper.visit(visitor)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    mutants: list[Mutant] = []
    seen, labels = {source}, Counter[str]()
    for where, line, old, new in visitor.changes:
        span = spans[old]
        changed = _spliced(source.encode(), span.start, span.length, old, new) or _replaced(
            wrapper.module, old, new
        )
        if changed in seen or not _compiles(changed):
            continue
        seen.add(changed)
        label = f"{where}: {_change(source, changed)}"
        labels[label] += 1
        mutants.append(Mutant(f"{label} ({labels[label]})" if labels[label] > 1 else label, line, changed))
    return mutants


def _spliced(source: bytes, start: int, length: int, old: cst.CSTNode, new: cst.CSTNode) -> str:
    """The quick way, empty where a node's text is not all that its span covers: parentheses, blank lines."""
    code = cst.Module([]).code_for_node
    if source[start : start + length] != code(old).encode():
        return ""
    return (source[:start] + code(new).encode() + source[start + length :]).decode()


def _replaced(module: cst.Module, old: cst.CSTNode, new: cst.CSTNode) -> str:
    replaced = module.deep_replace(old, new)
    return replaced.code if isinstance(replaced, cst.Module) else module.code


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, enumerations: Mapping[str, Sequence[str]], leave: Sequence[re.Pattern[str]]) -> None:
        super().__init__()
        self.changes: list[tuple[str, int, cst.CSTNode, cst.CSTNode]] = []
        self._enumerations = enumerations
        self._leave = leave
        self._scopes: list[tuple[cst.CSTNode, str]] = []
        self._in_function = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        self._in_function += isinstance(node, cst.FunctionDef)
        if name := self._scope(node):
            self._scopes.append((node, name))
        if self._is_left_alone(node):
            return False
        for new in self._changes_of(node):
            where = ".".join(name for _, name in self._scopes) or "(module)"
            self.changes.append((where, self.get_metadata(PositionProvider, node).start.line, node, new))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self._in_function -= isinstance(original_node, cst.FunctionDef)
        if self._scopes and self._scopes[-1][0] is original_node:
            self._scopes.pop()

    def _scope(self, node: cst.CSTNode) -> str:
        """What to call the place of a node: function, class, table, or row that begins with its name."""
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return node.name.value
        if self._in_function:
            return ""
        target = node.targets[0] if isinstance(node, cst.Assign) else node
        if isinstance(target, cst.AssignTarget | cst.AnnAssign) and isinstance(target.target, cst.Name):
            return target.target.value if not self._scopes else ""
        first = node.args[0].value if isinstance(node, cst.Call) and node.args else None
        return first.value if isinstance(first, cst.SimpleString) else ""

    def _is_left_alone(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
            return node.func.value in _CALLS_LEFT_ALONE
        if isinstance(node, cst.If) and isinstance(node.test, cst.Name):
            return node.test.value == "TYPE_CHECKING"
        if isinstance(node, cst.SimpleString):
            return any(pattern.fullmatch(node.value) for pattern in self._leave)
        return isinstance(node, _LEFT_ALONE)

    def _changes_of(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                yield from operator(node)
        yield from _without_the_check(node)
        yield from _without_a_part(node)
        if not self._in_function:
            yield from self._in_a_table(node)

    def _in_a_table(self, node: cst.CSTNode) -> Iterable[cst.CSTNode]:
        if isinstance(node, cst.Tuple | cst.List | cst.Set | cst.Dict) and len(node.elements) > 1:
            for index in range(len(node.elements)):
                others = [*node.elements[:index], *node.elements[index + 1 :]]
                yield node.with_changes(elements=others)
        if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
            for member in self._enumerations.get(node.value.value, ()):
                yield node.with_changes(attr=cst.Name(member))


def _without_the_check(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A condition the other way round; a statement that raises or reports, gone."""
    if isinstance(node, cst.If | cst.IfExp | cst.CompIf | cst.While):
        test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(), test))
    dropped = isinstance(node, cst.Raise) or (isinstance(node, cst.Expr) and isinstance(node.value, cst.Call))
    if dropped:
        yield cst.Pass()


def _without_a_part(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """An f-string without one of its texts or values: mutmut leaves f-strings alone."""
    if isinstance(node, cst.FormattedString):
        for index in range(len(node.parts)):
            yield node.with_changes(parts=[*node.parts[:index], *node.parts[index + 1 :]])


def _enumerations(module: cst.Module) -> dict[str, list[str]]:
    classes = [node for node in module.body if isinstance(node, cst.ClassDef)]
    return {
        each.name.value: [
            part.targets[0].target.value
            for line in each.body.body
            if isinstance(line, cst.SimpleStatementLine)
            for part in line.body
            if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Name)
        ]
        for each in classes
        if any(isinstance(base.value, cst.Name) and base.value.value == "Enum" for base in each.bases)
    }


def _compiles(source: str) -> bool:
    try:
        compile(source, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _change(old: str, new: str) -> str:
    """The lines that differ, as one line each, cut down to the change and a little around it when long."""
    before, after = old.splitlines(), new.splitlines()
    first, last = _differing(before, after)
    texts = [" ".join(" ".join(lines[first : len(lines) - last]).split()) for lines in (before, after)]
    if max(map(len, texts)) > _SHOWN:
        start, end = _differing(*texts)
        start = max(start - _AROUND, 0)
        middles = [text[start : len(text) - max(end - _AROUND, 0)] for text in texts]
        texts = [f"{'…' if start else ''}{text[:_SHOWN]}…" for text in middles]
    return " → ".join(text or "(nothing)" for text in texts)


def _differing(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many items are the same at the start, and at the end of the rest."""
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    return start, next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
