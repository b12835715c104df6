"""How one environment is named on a command line, so that a next step can be typed as it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One environment of one project as a person names it.

    `is_meant` says that a command without `--env` means it here; `is_rehearsal` that it runs elsewhere and
    is tried on this machine.
    """

    project: str
    environment: str
    is_meant: bool = False
    is_rehearsal: bool = False

    @property
    def choice(self) -> str:
        """Give the options that choose this environment, whatever is meant without them."""
        rehearsal = " --target process" if self.is_rehearsal else ""
        return f"--env {self.environment}{rehearsal}"

    @property
    def setup_tokens(self) -> str:
        """Give the command that renews the credentials of this environment's agents."""
        return f"./inv vault.setup-tokens --project={self.project} {self.choice}"

    def say(self, task: str) -> str:
        """Give the command line of a task of the project; options that change nothing are left out."""
        chosen = f" {self.choice}" if self.is_rehearsal or not self.is_meant else ""
        return f"./inv {self.project}.{task}{chosen}"
