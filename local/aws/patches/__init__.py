"""What MiniStack does otherwise than AWS and this project would notice, put right: one module an idea.

Written against one release by reading its source: `install` refuses any other, and refuses when something
it replaces is not there, so that a difference never comes back unseen.
"""

import tempfile
from importlib import import_module, metadata
from pathlib import Path

from hypercorn.typing import ASGIFramework

from local.aws.patches import (
    browsers,
    callbacks,
    client_context,
    cloudwatch,
    concurrency,
    processes,
    raised_errors,
    redrives,
    retries,
    templates,
)
from local.aws.patches.ministack import PatchError, named

RELEASE = "1.5.33"

__all__ = ["RELEASE", "PatchError", "install"]


def install(function_python: str) -> ASGIFramework:
    """Patch MiniStack in this process and return the application to serve.

    Functions run on `function_python`, an environment that holds what the Lambda runtime brings and no more.
    """
    require_release()
    app = import_module("ministack.app")
    lambda_runtime = import_module("ministack.core.lambda_runtime")
    lambda_svc = import_module("ministack.services.lambda_svc")
    stepfunctions = import_module("ministack.services.stepfunctions")
    provisioners = import_module("ministack.services.cloudformation.provisioners")

    raised_errors.keep_names(lambda_runtime, lambda_svc)
    client_context.hand_over(lambda_runtime, lambda_svc, stepfunctions)
    retries.wait_as_declared(stepfunctions)
    callbacks.time_as_declared(stepfunctions)
    redrives.allow(stepfunctions)
    concurrency.name_throttles(stepfunctions)
    concurrency.reserve_for_every_alias(lambda_svc)
    concurrency.reserve_by_template(provisioners, lambda_svc)
    templates.read_definitions_in_yaml(provisioners)
    templates.accept_what_only_people_see(provisioners)
    templates.take_versions_for_their_machine(provisioners)
    cloudwatch.wrap(lambda_svc, stepfunctions)
    processes.run_on(lambda_runtime, function_python)
    processes.unpack_once(lambda_runtime, Path(tempfile.gettempdir(), "unpacked"))
    processes.drop_only_the_broken(lambda_runtime, lambda_svc)
    return browsers.refuse(named(app, "app"))


def require_release() -> None:
    """Raise `PatchError` unless MiniStack is the release that the patches were written for."""
    release = metadata.version("ministack")
    if release != RELEASE:
        raise PatchError(
            f"the embedded AWS needs MiniStack {RELEASE}, found {release}: run `uv sync --locked`"
        )
