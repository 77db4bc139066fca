"""Ctrl-C during a build leaves nothing that a later command takes for a build."""

import os
import select
import shutil
import signal
import subprocess
import sys

from local.aws.embedded import ROOT

PATIENCE_SECONDS = 60.0
SAM = """#!/bin/sh
echo building >"$STARTED"
exec sleep 60
"""


def test_an_interrupted_build_is_reported_and_made_again(tmp_path):
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("node_modules"))
    sam = tmp_path / ".venv/bin/sam"
    sam.parent.mkdir(parents=True)
    sam.write_text(SAM, encoding="utf-8")
    sam.chmod(0o755)
    built = tmp_path / ".aws-sam/build/template.yaml"
    built.parent.mkdir(parents=True)
    built.touch()
    (tmp_path / ".aws-sam/inputs.sha256").write_text("those of an older build", encoding="utf-8")
    for name in ("template.yaml", ".python-version"):
        (tmp_path / name).touch()
    started = tmp_path / "started"
    os.mkfifo(started)
    reader = os.open(started, os.O_RDONLY | os.O_NONBLOCK)
    build = subprocess.Popen(
        [sys.executable, "-m", "tools.build"],
        cwd=tmp_path,
        env={**os.environ, "STARTED": str(started)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests in the background ignores it, and so would all that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert select.select([reader], [], [], PATIENCE_SECONDS)[0], build.poll()
    os.close(reader)
    os.killpg(build.pid, signal.SIGINT)
    _, errors = build.communicate()
    assert (build.returncode, errors) == (130, "Interrupted: the next command builds again.\n")
    assert not (tmp_path / ".aws-sam/inputs.sha256").exists()
