"""Functions start without the garbage collector, and only start so."""

import ast
import gc

import pytest
from invocation import startup

from tests.function import FUNCTIONS

APPS = sorted(FUNCTIONS.glob("*/app.py"))


def test_after_the_start_garbage_is_collected_and_what_stays_is_left_alone() -> None:
    gc.disable()
    try:
        startup.done()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("app", APPS, ids=[app.parent.name for app in APPS])
def test_a_function_imports_it_first_and_says_when_it_has_started(app) -> None:
    body = ast.parse(app.read_text(encoding="utf-8")).body
    imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
    assert ast.unparse(imports[0]) == "from invocation import startup"
    run = [ast.unparse(each) for each in body if not isinstance(each, ast.FunctionDef)]
    assert run[-1] == "startup.done()"
