"""Functions start without the garbage collector, and only start so."""

import ast
import gc
import importlib
from collections.abc import Iterator

import pytest

from tests.function import FUNCTIONS

APPS = sorted(FUNCTIONS.glob("*/app.py"))


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as tests need it, whatever a test did to it."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_a_start_runs_without_garbage_collector_and_freezes_what_stays() -> None:
    startup = importlib.import_module("invocation.startup")
    gc.enable()
    importlib.reload(startup)
    assert not gc.isenabled()
    startup.done()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("app", APPS, ids=[app.parent.name for app in APPS])
def test_a_function_imports_it_first_and_says_when_it_has_started(app) -> None:
    body = ast.parse(app.read_text(encoding="utf-8")).body
    imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
    assert ast.unparse(imports[0]) == "from invocation import startup"
    run = [ast.unparse(each) for each in body if not isinstance(each, ast.FunctionDef)]
    assert run[-1] == "startup.done()"
