"""The processes that functions run in: their interpreter, shared files, and each dropped by itself."""

import hashlib
import threading
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named


def run_on(lambda_runtime: ModuleType, function_python: str) -> None:
    """Run functions on this interpreter, which finds what the Lambda runtime brings and no more."""
    original = named(lambda_runtime, "_detect_runtime_binary")

    def detect(runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        return (function_python, script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect  # type: ignore[attr-defined]


def unpack_once(lambda_runtime: ModuleType, place: Path) -> None:
    """Unpack code and layers once by content, into `place`, and link to it from every process's directory.

    MiniStack unpacks them for each process. The layers are a thousand files, so that on a busy disk a cold
    start would take seconds, and removing them all at the end a minute.
    """
    original = named(lambda_runtime, "zipfile")
    unpacking = threading.Lock()

    class Shared(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            target = Path(path)
            assert self.filename is not None
            unpacked = place / hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
            with unpacking:
                if not unpacked.exists():
                    part = unpacked.with_suffix(".part")
                    super().extractall(part, members, pwd)
                    part.rename(unpacked)
            target.mkdir(exist_ok=True)
            for each in unpacked.iterdir():
                (target / each.name).symlink_to(each)

    module = ModuleType("zipfile")
    module.__dict__.update({**vars(original), "ZipFile": Shared})
    lambda_runtime.zipfile = module  # type: ignore[attr-defined]


def drop_only_the_broken(lambda_runtime: ModuleType, lambda_svc: ModuleType) -> None:
    """Let a process that cannot be started take no other with it.

    MiniStack then kills every process of the function, those that are just starting among them, which fail
    and do the same: once begun under load, no call of the function succeeds for half a minute.
    """
    acquire, release = named(lambda_svc, "acquire_worker"), named(lambda_svc, "release_worker")
    invalidate = named(lambda_svc, "invalidate_worker")
    pools: dict[str, list[Any]] = named(lambda_runtime, "_workers")
    lock, kill = named(lambda_runtime, "_lock"), named(lambda_runtime, "kill_workers")
    leased = threading.local()

    def acquire_worker(*arguments: Any, **rest: Any) -> tuple[Any, str]:
        worker, reason = acquire(*arguments, **rest)
        leased.worker = worker
        return worker, reason

    def release_worker(worker: Any) -> None:
        leased.worker = None
        release(worker)

    def invalidate_worker(*arguments: Any, **rest: Any) -> None:
        broken = getattr(leased, "worker", None)
        if broken is None:  # not in a call: the function is changed or deleted
            invalidate(*arguments, **rest)
            return
        with lock:
            for pool in pools.values():
                if broken in pool:
                    pool.remove(broken)
        kill([broken])

    lambda_svc.acquire_worker = acquire_worker  # type: ignore[attr-defined]
    lambda_svc.release_worker = release_worker  # type: ignore[attr-defined]
    lambda_svc.invalidate_worker = invalidate_worker  # type: ignore[attr-defined]
