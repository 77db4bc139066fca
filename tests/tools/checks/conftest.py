import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLACES = ("", "functions", "layers/wechatpay", "simulator")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What ships, as it is, among packages that are empty."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for place in ("", "simulator"):
        for init in (ROOT / place).glob("*/__init__.py"):
            empty = tmp_path / init.relative_to(ROOT)
            empty.parent.mkdir(parents=True)
            empty.write_text('"""A package."""\n', encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/function.py").touch()
    return tmp_path


def plant(root: Path, module: str, line: str) -> None:
    """Add a line to a module or to the `__init__` of a package."""
    path = module.replace(".", "/")
    names = [root / place / name for place in PLACES for name in (f"{path}.py", f"{path}/__init__.py")]
    with next(name for name in names if name.exists()).open("a", encoding="utf-8") as source:
        source.write(f"{line}\n")
