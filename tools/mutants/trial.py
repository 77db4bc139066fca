"""Running the tests on mutants, each in a process forked from one that has imported all else already."""

import gc
import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn

import pytest

from tools.mutants.planting import Mutant

_UNUSABLE = 64  # an exit status that is not one of pytest's
# A mutant that takes longer is endless. Processor time, so that a busy machine kills nothing; the other is
# for those that wait for ever.
_CPU_SECONDS = 60
_SECONDS = 600


class Fate(Enum):
    """The outcome of a mutant."""

    KILLED = "killed"
    ENDLESS = "killed as endless"
    SURVIVED = "survived"
    UNUSABLE = "cannot be imported"  # no test is needed to see it, so it does not count


@dataclass(frozen=True)
class Target:
    """A file to plant mutants in, and the tests to run on them.

    Attributes:
        path: the file, relative to the root.
        module: the name it is imported by.
        tests: pytest's arguments that select the tests.
    """

    path: Path
    module: str
    tests: Sequence[str]


class Trials:
    """Runs the tests of targets on their mutants, some at once.

    Args:
        root: the repository.
        search: directories to import from, as the tests do.
        preload: modules the tests need and no mutant is in, to be imported once, before the forks.
        at_once: processes.
    """

    def __init__(self, root: Path, search: Sequence[Path], preload: Sequence[str], *, at_once: int) -> None:
        self._root = root
        self._at_once = at_once
        self._fork = get_context("fork")
        sys.path[:0] = [str(path) for path in search if str(path) not in sys.path]
        for name in preload:
            importlib.import_module(name)
        gc.freeze()  # pytest collects garbage several times at its end: not all that, in every fork

    def passes(self, target: Target) -> bool:
        """Tell whether the tests pass without a mutant; if they do not, they show why."""
        source = (self._root / target.path).read_text(encoding="utf-8")
        for quiet in (True, False):
            process = self._start(target, source, quiet=quiet)
            process.join()
            if process.exitcode == 0:
                return True
        return False

    def run(self, mutants: Sequence[tuple[Target, Mutant]]) -> Iterator[tuple[Target, Mutant, Fate]]:
        """Yield the fate of every mutant as soon as it is known."""
        waiting = list(reversed(mutants))
        running: dict[int, tuple[ForkProcess, float, Target, Mutant]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._at_once:
                    target, mutant = waiting.pop()
                    process = self._start(target, mutant.source, quiet=True)
                    running[process.sentinel] = process, time.monotonic() + _SECONDS, target, mutant
                first = min(ends for _, ends, _, _ in running.values())
                connection.wait(list(running), timeout=max(first - time.monotonic(), 0))
                for sentinel, (process, ends, target, mutant) in list(running.items()):
                    late = time.monotonic() > ends
                    if late:
                        process.kill()
                    elif process.is_alive():
                        continue
                    process.join()
                    del running[sentinel]
                    yield target, mutant, Fate.ENDLESS if late else _fate(process.exitcode)
        finally:
            for process, *_ in running.values():
                process.kill()
                process.join()

    def _start(self, target: Target, source: str, *, quiet: bool) -> ForkProcess:
        process = self._fork.Process(target=_try, args=(self._root, target, source, quiet))
        process.start()
        return process


def _fate(status: int | None) -> Fate:
    fates = {0: Fate.SURVIVED, _UNUSABLE: Fate.UNUSABLE, -signal.SIGXCPU: Fate.ENDLESS}
    return fates.get(status or 0, Fate.KILLED)


def _try(root: Path, target: Target, source: str, quiet: bool) -> NoReturn:
    os.chdir(root)
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 5))
    if quiet:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    sys.meta_path.insert(0, _Planted(target.module, root / target.path, source))
    if target.module in sys.modules:
        raise RuntimeError(f"{target.module} is imported already, without the mutant")
    try:
        importlib.import_module(target.module)
    except Exception:  # noqa: BLE001 - whatever a mutant raises
        os._exit(_UNUSABLE)
    options = ["-x", "-q", "--no-header", "--disable-warnings", "--assert=plain", "-p", "no:cacheprovider"]
    status = pytest.main([*options, *target.tests])
    sys.stdout.flush()
    os._exit(int(status))


class _Planted(MetaPathFinder, InspectLoader):
    """Gives one module a source of our own, under the path of the file it is in."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        self._module = module
        self._path = path
        self._source = source

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self, origin=str(self._path)) if fullname == self._module else None

    def get_source(self, fullname: str) -> str:
        return self._source

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._source, str(self._path))
