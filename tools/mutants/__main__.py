"""`make mutants`: exit status 1 when too many mutants survive, or one that docs/testing.md does not explain.

`python -m tools.mutants [PART_OF_A_PATH ...]` plants them in those files only.
"""

import os
import resource
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tools.mutants.planting import Mutant, mutants_of
from tools.mutants.trial import Fate, Target, Trials
from tools.sam import ROOT

_PERCENT = 100

type Tried = tuple[Target, Mutant, Fate]


@dataclass(frozen=True)
class Plan:
    """What `[tool.mutants]` in pyproject.toml asks for.

    Attributes:
        targets: files to plant mutants in, each with its tests.
        search: directories the tests import from.
        preload: modules to import once, before the mutants.
        leave: patterns of string literals to leave alone.
        score: percent of the mutants that have to be killed.
        explained: the document that explains those that survive.
    """

    targets: Sequence[Target]
    search: Sequence[Path]
    preload: Sequence[str]
    leave: Sequence[str]
    score: float
    explained: Path


def plan(root: Path = ROOT) -> Plan:
    """Read the configuration."""
    tools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    search = [root / each for each in tools["pytest"]["ini_options"]["pythonpath"]]
    settings = tools["mutants"]
    targets = [
        Target(Path(path), _module(root / path, search), tests) for path, tests in settings["tests"].items()
    ]
    explained = root / settings["explained"]
    return Plan(targets, search, settings["preload"], settings["leave"], settings["score"], explained)


def _module(path: Path, search: Sequence[Path]) -> str:
    """The name a file is imported by: from the nearest directory that is searched."""
    names = [path.relative_to(each) for each in search if path.is_relative_to(each)]
    return ".".join(min(names, key=lambda name: len(name.parts)).with_suffix("").parts)


def main(parts: Sequence[str], root: Path = ROOT) -> int:
    """Run the mutants of all files, or of those with one of these parts in their paths."""
    began = time.monotonic()
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    console = Console(highlight=False, soft_wrap=True)
    planned = plan(root)
    targets = [each for each in planned.targets if not parts or any(part in str(each.path) for part in parts)]
    trials = Trials(root, planned.search, planned.preload, at_once=os.process_cpu_count() or 1)
    if not targets or not all(trials.passes(target) for target in targets):
        console.print("Without a mutant the tests have to pass." if targets else "The plan has no such file.")
        return 1
    planted = [
        (target, mutant)
        for target in targets
        for mutant in mutants_of((root / target.path).read_text(encoding="utf-8"), planned.leave)
    ]
    console.print(f"{len(planted)} mutants in {len(targets)} files")
    explained = planned.explained.read_text(encoding="utf-8").replace(r"\|", "|")
    fates = _run(trials, planted, explained, console)
    if not all(trials.passes(target) for target in targets):
        console.print(
            "The tests no longer pass without a mutant: something else changed, and no figure counts."
        )
        return 1
    for target in targets:
        _score(console, str(target.path), [each for each in fates if each[0] is target])
    score = _score(console, "all", fates)
    survivors = [mutant for _, mutant, fate in fates if fate is Fate.SURVIVED]
    unexplained = sum(not _is_explained(mutant, explained) for mutant in survivors)
    used = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    took = f"{time.monotonic() - began:.0f} s, {used:.0f} s of processor time"
    console.print(f"{took}; survivors not explained: {unexplained}")
    return int(score < planned.score or unexplained > 0)


def _run(
    trials: Trials, planted: Sequence[tuple[Target, Mutant]], explained: str, console: Console
) -> list[Tried]:
    """Try all; tell of survivors as soon as they are known."""
    fates = []
    # Refreshed by hand: a thread that draws would be there at every fork.
    with Progress(console=console, auto_refresh=False, transient=True) as progress:
        task = progress.add_task("mutants", total=len(planted))
        for target, mutant, fate in trials.run(planted):
            fates.append((target, mutant, fate))
            if fate is Fate.SURVIVED:
                word = "explained" if _is_explained(mutant, explained) else "SURVIVED "
                console.print(f"{word}  {target.path}:{mutant.line}  {mutant.label}", markup=False)
            progress.advance(task)
            progress.refresh()
    return fates


def _is_explained(mutant: Mutant, explained: str) -> bool:
    return f"`{mutant.label}`" in explained


def _score(console: Console, name: str, fates: Sequence[Tried]) -> float:
    count = Counter(fate for _, _, fate in fates)
    killed = count[Fate.KILLED] + count[Fate.ENDLESS]
    counted = killed + count[Fate.SURVIVED]
    score = _PERCENT * killed / counted if counted else 0.0
    of = f"{killed} of {counted} killed, {count[Fate.UNUSABLE]} more cannot be imported"
    console.print(f"{name:<41}  {score:5.1f} %  {of}", markup=False)
    return score


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
