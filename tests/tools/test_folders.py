"""The top folders: each says what it is, and none is most of the project."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE_HERE = ("dist", "build", "node_modules")  # a build or a cache of somebody's machine
FOLDERS = {
    path.name: path
    for path in ROOT.iterdir()
    if path.is_dir() and path.name[0] not in "._" and path.name not in MADE_HERE
}


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_folder_says_what_it_is(name: str):
    page, package = FOLDERS[name] / "README.md", FOLDERS[name] / "__init__.py"
    if page.exists():
        assert page.read_text(encoding="utf-8").strip()
    else:
        assert ast.get_docstring(ast.parse(package.read_text(encoding="utf-8")))


def test_no_folder_has_more_than_a_quarter_of_all_code_but_the_tests():
    lines = {
        name: sum(len(source.read_text(encoding="utf-8").splitlines()) for source in folder.rglob("*.py"))
        for name, folder in FOLDERS.items()
        if name != "tests"
    }
    assert max(lines.values()) <= sum(lines.values()) / 4, lines
