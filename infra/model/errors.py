"""The errors that people see.

InfraError
├── KnownBad               exit 1: the answer is known and bad
│   ├── Refused            a guard said no; nothing was changed
│   └── DeployFailed       the change was tried and did not pass its checks
├── NotCleaned             exit 4: the work is done and good, its clean-up is not complete
└── CannotTell             exit 2: could not check, or could not start
    ├── BadInput           an argument, name or setting is wrong (also ValueError)
    ├── MissingProgram     something has to be installed first
    ├── Denied             the machine or the store said no (also PermissionError)
    ├── Unreachable        nobody answered; a retry is safe (also ConnectionError)
    ├── PortTaken          another process holds a port that we were told to use
    │   └── PortLost       ... or one that nobody wrote, meanwhile; a retry takes another one
    ├── LeaseHeld          somebody else is deploying; a retry is safe
    └── StoreError         the store could not keep or give a value
        ├── Unwritable     the disk is full or read-only; what was there stays as it was
        ├── Sealed         the store is locked until its own people open it; a retry is safe
        ├── NotFound       nothing was ever written there (also LookupError)
        ├── DeletedVersion the newest version was deleted or destroyed (also LookupError)
        └── CasLost        another writer was faster; read again, merge, write once more
"""

from __future__ import annotations

import re


class InfraError(Exception):
    """A failure with its evidence and the one next thing to type."""

    exit_code = 2

    def __init__(self, message: str, *, next_step: str = "", evidence: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.evidence = evidence

    @property
    def kind(self) -> str:
        """The class' name as programs read it: `LeaseHeld` gives `lease_held`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()


class KnownBad(InfraError):
    """The answer is known and bad (exit 1)."""

    exit_code = 1


class Refused(KnownBad):
    """A guard said no; nothing was changed."""


class DeployFailed(KnownBad):
    """The change was tried and did not pass its checks."""


class NotCleaned(InfraError):
    """The work is done and good, its clean-up is not complete (exit 4); the evidence names what is left."""

    exit_code = 4


class CannotTell(InfraError):
    """The answer is not known: nothing was checked or nothing was started (exit 2)."""


class BadInput(CannotTell, ValueError):
    """An argument, a name or a setting is wrong; the message names the place and what was expected."""


class MissingProgram(CannotTell):
    """A program or package has to be installed first."""


class Denied(CannotTell, PermissionError):
    """The machine or the store refused; a retry does not help."""


class Unreachable(CannotTell, ConnectionError):
    """Nobody answered; a retry is safe."""


class PortTaken(CannotTell):
    """Another process holds a port that was asked for by name."""


class PortLost(PortTaken):
    """A port that nobody wrote was taken since it was chosen; a retry takes another one."""


class LeaseHeld(CannotTell):
    """Somebody else is deploying the same thing; a retry is safe."""


class StoreError(CannotTell):
    """The store could not keep or give a value."""


class Unwritable(StoreError):
    """The disk is full or read-only: nothing was written, and what was there stays as it was."""


class Sealed(StoreError):
    """The store is locked until its own people open it: nothing is read or written; a retry is safe."""


class NotFound(StoreError, LookupError):
    """Nothing was ever written at this path."""


class DeletedVersion(StoreError, LookupError):
    """The newest version at this path was deleted or destroyed; the message names path, version, state."""


class CasLost(StoreError):
    """Another writer was faster: read again, merge, write once more."""
