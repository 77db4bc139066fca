"""What a check found: pass, a note, or a failure that says what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rich.text import Text

from operations.terminal import console


class Grade(Enum):
    """A note does not fail a command: something could not be checked, or needs attention soon."""

    PASS = "pass"  # noqa: S105 - not a password
    NOTE = "note"
    FAIL = "FAIL"


_STYLES = {Grade.PASS: "green", Grade.NOTE: "yellow", Grade.FAIL: "bold red"}


@dataclass(frozen=True)
class Finding:
    """One line of a report. `message` says what was seen, and when it is no pass, what to do."""

    subject: str
    grade: Grade
    message: str

    @property
    def failed(self) -> bool:
        """Whether this fails the command."""
        return self.grade is Grade.FAIL

    def about(self, subject: str) -> "Finding":
        """Return the same about something more precise."""
        return Finding(f"{self.subject} {subject}", self.grade, self.message)


def passed(subject: str, message: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, Grade.PASS, message)


def note(subject: str, message: str) -> Finding:
    """It is worth knowing, and fails nothing."""
    return Finding(subject, Grade.NOTE, message)


def failed(subject: str, message: str) -> Finding:
    """It is wrong, and the message says what to do."""
    return Finding(subject, Grade.FAIL, message)


def show(findings: Iterable[Finding]) -> bool:
    """Print each finding as soon as it is there. Returns whether none failed."""
    good = True
    for finding in findings:
        line = Text.assemble(
            (f"{finding.grade.value:<4} ", _STYLES[finding.grade]), (f"{finding.subject}: ", "bold")
        )
        # soft_wrap: a line that is piped to a file or a ticket stays one line.
        console.print(line + Text(finding.message), soft_wrap=True)
        good = good and not finding.failed
    return good
