"""The rooms, which are the top folders: what each may import, its size, and that it says what it is."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.checks.arrows import LAYERS, NEVER_SHIPPED, imported

# What a room may import of the project; one that is not named here may import all but tests/.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "simulator": frozenset(),  # it shares no belief with what it tests
    "life": frozenset(),
    "operations": frozenset({"life", "product"}),  # an operator's machine has no simulator
    "console": frozenset({"life", "operations", "product", "wechatpay_sandbox"}),
}
LARGEST = 0.25
"""The share of all code but the tests that one room may have."""
_OWN_PACKAGES = {"simulator": "wechatpay_sandbox"}


def check(root: Path) -> list[str]:
    """Each wrong import, each room that is too large or does not say what it is."""
    rooms = [each for each in sorted(root.iterdir()) if each.is_dir() and _is_room(each)]
    functions = {each.name for each in (root / "functions").glob("*/")}
    return [
        *(problem for room in rooms for problem in _imports(root, room, functions)),
        *(f"{room.name}/: {problem}" for room in rooms if (problem := _first_lines(room))),
        *_sizes(rooms),
    ]


def _is_room(directory: Path) -> bool:
    """Whether it holds files of the project: a build or a cache of somebody's machine is no room."""
    return directory.name[0] not in "._" and directory.name not in ("dist", "node_modules", "build")


def _imports(root: Path, room: Path, functions: set[str]) -> Iterator[str]:
    if room.name == "tests":
        return
    product = functions | set(LAYERS)
    project = NEVER_SHIPPED | product
    allowed = MAY_IMPORT.get(room.name)
    own = {room.name, _OWN_PACKAGES.get(room.name, room.name)}
    for source in sorted(room.rglob("*.py")):
        tree = ast.parse(source.read_text(encoding="utf-8"), str(source))
        names = (name for node in ast.walk(tree) for name in imported(node, ""))
        tops = {name.split(".")[0] for name in names} & project - own
        if allowed is None:
            wrong = tops & {"tests"}
        else:
            wrong = {top for top in tops if ("product" if top in product else top) not in allowed}
        if wrong:
            listed = ", ".join(sorted(wrong))
            yield f"{source.relative_to(root)}: imports {listed}, which {room.name}/ may not know"


def _first_lines(room: Path) -> str | None:
    """Return what is missing, when neither a docstring nor a README says what the folder is."""
    package, page = room / "__init__.py", room / "README.md"
    if page.is_file() and page.read_text(encoding="utf-8").strip():
        return None
    if package.is_file() and ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))):
        return None
    return "says nowhere what it is: a docstring of its __init__.py, or a README.md"


def _sizes(rooms: list[Path]) -> Iterator[str]:
    lines = {
        room.name: sum(len(source.read_text(encoding="utf-8").splitlines()) for source in room.rglob("*.py"))
        for room in rooms
        if room.name != "tests"
    }
    for name, count in lines.items():
        if len(lines) > 1 / LARGEST and count > LARGEST * sum(lines.values()):
            yield f"{name}/: {count} lines of {sum(lines.values())}, more than a quarter of the whole"
