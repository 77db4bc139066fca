"""The bill of materials lists what ships; an audit that could not be made never passes."""

import json
import os
import re
import stat
from pathlib import Path

import pytest

from tools import advisories, sbom


def locked() -> dict[str, set[str]]:
    """Each package of the lock with the hashes it may have."""
    text = sbom.LOCK.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if re.match(r"[\w.-]+==", line)]
    return {line.split()[0].lower(): set(re.findall(r"sha256:([0-9a-f]{64})", line)) for line in lines}


def test_the_bill_of_materials_lists_what_ships_and_is_reproducible(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert sbom.write(target=one) == sbom.write(target=two) == len(locked())
    assert one.read_bytes() == two.read_bytes()
    components = {
        f"{component['name']}=={component['version']}".lower(): {
            entry["content"]
            for reference in component["externalReferences"]
            for entry in reference.get("hashes", [])
        }
        for component in json.loads(one.read_text(encoding="utf-8"))["components"]
    }
    assert components == locked()


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a pip-audit in place that answers this."""

    def answer(stdout: str, stderr: str = "") -> None:
        program = tmp_path / "pip-audit"
        program.write_text(f"#!/bin/sh\ncat <<'E'\n{stdout}\nE\necho '{stderr}' >&2\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(advisories.sys, "executable", os.fspath(tmp_path / "python"))

    return answer


SOUND = {"name": "requests", "version": "1", "vulns": []}
VULNERABLE = {**SOUND, "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "cffi", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "status", "printed"),
    [
        ([SOUND], 0, "1 of 1 packages looked up, 0 advisories"),
        ([SOUND, VULNERABLE], 1, "requests 1: PYSEC-1, fixed in 2"),
        ([SOUND, UNKNOWN], 2, "NOT AUDITED: cffi: not found"),
    ],
)
def test_audit_passes_only_when_every_package_was_checked(packages, status, printed, answers, capsys):
    answers(json.dumps({"dependencies": packages}))
    assert advisories.main() == status
    assert printed in capsys.readouterr().out


def test_audit_without_a_network_fails_as_not_audited(answers, capsys):
    answers("", "ConnectionError: nobody there")
    assert advisories.main() == 2
    assert "NOT AUDITED" in capsys.readouterr().out
