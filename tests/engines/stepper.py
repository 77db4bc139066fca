"""The workflow in the simulation's stepper, which knows of the language what the workflow uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from simulation.kernel import Kernel
from simulation.language import checked
from simulation.stepper import Execution, TaskError
from tests.engines.world import EXECUTION, TIMED_OUT, Raised, Run, World


class _Longest(Random):
    def uniform(self, a: float, b: float) -> float:  # the pause before a retry, as long as it may be
        return b


class Engine:
    """Runs one execution at a time; also stands for the services that Tasks call."""

    world: World

    def run(self, definition: dict[str, Any], event: dict[str, Any], world: World) -> Run:
        """Run an execution to its end."""
        self.world = world
        self._kernel = Kernel(_Longest(1), 1_760_000_000.0)
        states: list[str] = []
        raised: list[str] = []

        def observe(_execution: Execution, what: str, about: dict[str, Any]) -> None:
            if what == "entered":
                states.append(about["state"])
            elif what == "failed":
                raised.append(about["error"])

        execution = Execution(self._kernel, self, checked(definition), EXECUTION, event, observe, world.wait)
        execution.start()
        self._kernel.run()
        failed = execution.status != "SUCCEEDED"
        return Run(
            execution.status,
            states,
            raised,
            None if failed else execution.output,
            execution.error if failed else None,
            execution.cause if failed else None,
        )

    def invoke(self, _execution: Execution, function: str, payload: Any, client_context: str) -> Any:
        """Stand for Lambda."""
        with self._raising():
            return self.world.invoke(function, payload, client_context)

    def put_events(self, _execution: Execution, entries: list[dict[str, Any]]) -> Any:
        """Stand for EventBridge."""
        with self._raising():
            for entry in entries:
                self.world.publish(entry)

    def put_item(self, execution: Execution, _table: str, item: dict[str, Any]) -> Any:
        """Stand for the table of waiting orders."""
        with self._raising():
            self.world.put(item)
        assert execution.token is not None
        seconds = execution.definition["States"][execution.state]["TimeoutSeconds"]
        if self.world.woken(execution.value(seconds)):
            execution.token.signal.set({})

    @contextmanager
    def _raising(self) -> Iterator[None]:
        try:
            yield
        except Raised as raised:
            if raised.error == TIMED_OUT:
                self._kernel.sleep(10**6)  # longer than any Task waits for an answer
            raise TaskError(raised.error) from None


@contextmanager
def engine() -> Iterator[Engine]:
    """Make an engine."""
    yield Engine()
