"""The arrows between modules, read from their imports.

`app -> completion -> smart_retail -> client -> signature / verification / transport -> errors`: nothing may
reach, however indirectly, a module of its own rank or above. Only `aws` and what calls a service know the
SDK, only `settings` reads the environment, the layer never imports a function, nothing that ships imports
local/ or tests/.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RANKS = (
    ("app",),
    ("completion",),
    ("smart_retail", "service_order"),
    ("client",),
    ("signature", "verification", "transport"),
    ("errors",),
)
_RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
LAYERS = ("wechatpay", "invocation")
AWS_SDK = {"boto3", "botocore"}
KNOW_AWS = ("aws", "merchant_secrets", "waiting_orders")
NEVER_SHIPPED = {
    "benchmarks",
    "chaos",
    "console",
    "life",
    "local",
    "operations",
    "simulation",
    "tests",
    "tools",
    "wechatpay_sandbox",
}
_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv"}


@dataclass(frozen=True)
class Module:
    """One shipped module: where it is, what it imports, and whether it reads the environment."""

    name: str  # dotted: wechatpay.errors, complete_order.app
    path: Path
    imports: frozenset[str]
    reads_environment: bool

    @property
    def short(self) -> str:
        """The name without its package."""
        return self.name.rpartition(".")[2]


def check(root: Path) -> list[str]:
    """Each arrow that points the wrong way."""
    modules = {module.name: module for module in shipped(root)}
    functions = {name.split(".")[0] for name in modules} - set(LAYERS)
    problems = []
    for module in modules.values():
        problems += [f"{module.path.relative_to(root)}: {problem}" for problem in _own(module, functions)]
        problems += [
            f"{module.path.relative_to(root)}: reaches {target}, which is not below it"
            for target in sorted(_reached(module, modules))
            if not _below(modules[target].short, module.short)
        ]
    return problems


def shipped(root: Path) -> Iterator[Module]:
    """Every module of the layer and of the functions."""
    layers = [root / "layers/wechatpay" / name for name in LAYERS]
    for directory in [*layers, *sorted((root / "functions").glob("*/"))]:
        for source in sorted(directory.glob("*.py")):
            yield _parsed(source, directory.name)


def _parsed(source: Path, package: str) -> Module:
    tree = ast.parse(source.read_text(encoding="utf-8"), str(source))
    imports = {name for node in ast.walk(tree) for name in imported(node, package)}
    environment = any(_reads_environment(node) for node in ast.walk(tree))
    return Module(f"{package}.{source.stem}", source, frozenset(imports), environment)


def imported(node: ast.AST, package: str) -> list[str]:
    """Every module an import statement may load; `from p import m` may load `p.m`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = [package] if node.level else []
        base = ".".join([*parts, node.module] if node.module else parts)
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return []


def _reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=name):
            return name in _ENVIRONMENT
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name in _ENVIRONMENT for alias in names)
    return False


def _own(module: Module, functions: set[str]) -> Iterator[str]:
    """What a module does that it may not, whatever it reaches."""
    tops = {name.split(".")[0] for name in module.imports}
    if module.short not in KNOW_AWS and (found := tops & AWS_SDK):
        yield f"imports {', '.join(sorted(found))}; only {', '.join(KNOW_AWS)} know it"
    if module.short != "settings" and module.reads_environment:
        yield "reads the environment; only settings does"
    if found := tops & NEVER_SHIPPED:
        yield f"imports {', '.join(sorted(found))}, which does not ship"
    if module.name.split(".")[0] in LAYERS and (found := tops & (functions | {"functions"})):
        yield f"imports {', '.join(sorted(found))}; the layer never imports a function"


def _reached(module: Module, modules: dict[str, Module]) -> set[str]:
    seen: set[str] = set()
    waiting = list(module.imports & modules.keys())
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += modules[name].imports & modules.keys()
    return seen


def _below(target: str, origin: str) -> bool:
    """Modules without a rank may be anywhere, but in no cycle."""
    if target == origin:
        return False
    if target in _RANK and origin in _RANK:
        return _RANK[target] > _RANK[origin]
    return True
