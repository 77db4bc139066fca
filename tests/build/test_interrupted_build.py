"""Ctrl-C during a build leaves nothing that a later command takes for a build."""

import os
import shutil
import signal
import subprocess
import sys

from local.aws.embedded import ROOT

SAM = """#!/bin/sh
echo building >"$STARTED"
exec sleep 60
"""


def test_an_interrupted_build_says_so_and_is_made_again(tmp_path):
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
    build = subprocess.Popen(
        [sys.executable, "-m", "tools.build"],
        cwd=tmp_path,
        env={**os.environ, "STARTED": str(started)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.read_text(encoding="utf-8") == "building\n"
    os.killpg(build.pid, signal.SIGINT)
    _, said = build.communicate()
    assert (build.returncode, said) == (130, "Interrupted: the next command builds again.\n")
    assert not (tmp_path / ".aws-sam/inputs.sha256").exists()
