"""Entries that outlived their owner: the lease of a dead deploy, and dead test runs in the runner list."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from infra import remove
from infra.cleanup.item import Item
from infra.model.errors import CannotTell
from infra.model.lease import Lease
from infra.model.observed import Running, Unknown
from infra.model.runner import Runner, RunnerList
from infra.session import Request, Session
from infra.stopping import stopping
from infra.store import leases
from infra.store.paths import lease_path
from infra.targets.process import processes
from infra.testing import suite
from infra.testing.register import Register, is_gone, living

LEASE_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Entries:
    """What the lease and the runner list say of one environment; `runners` is None where it is unreadable."""

    session: Session
    register: Register
    runners: RunnerList | None

    def items(self) -> list[Item]:
        """Give the entries of owners who ended."""
        return [*self._lease(), *self._runs(), *self._started()]

    def alive(self) -> list[Runner]:
        """Give the living test runs that use this environment's servers."""
        runners = self.runners.runners if self.runners else ()
        return [one for one in living(runners) if self._is_ours(one)]

    def whole_list(self) -> list[Item]:
        """Give all entries of this environment as one thing, for --all; those of other checkouts stay."""
        if self.runners is None:
            return [Item("list", str(self.register.file), "it cannot be read")]
        ours = [one for one in self.runners.runners if self._is_ours(one)]
        count = len(ours) + (self._name in self.runners.started)
        return [Item("list", f"{count} entries of the runner list", remove=self._forget_all)] if count else []

    @property
    def _name(self) -> str:
        return self.session.places.checkout

    def _is_ours(self, one: Runner) -> bool:
        return one.servers == self._name

    def _lease(self) -> list[Item]:
        path = lease_path(self.session.project.name, self.session.environment.name)
        held = leases.standing(self.session.store, path)
        if held is None or not leases.is_over(held, time.monotonic()):
            return []
        return [Item("entry", f"the lease of {held}", remove=lambda: self._take_over(path, held))]

    def _take_over(self, path: str, held: Lease) -> str:
        """Free the lease as a deploy would: by taking it, so that no living one loses it."""
        with stopping(self.session, Request((), lock_wait=LEASE_WAIT)):
            pass
        found = leases.standing(self.session.store, path)
        if found == held:
            raise CannotTell("the lease is still there", next_step="./inv lock.status")
        return ""

    def _runs(self) -> list[Item]:
        runners = self.runners.runners if self.runners else ()
        dead = [one for one in runners if self._is_ours(one) and is_gone(one)]
        return [
            Item("entry", f"the dead test run {one.namespace} (pid {one.pid})", remove=self._forgetting(one))
            for one in dead
        ]

    def _forgetting(self, dead: Runner) -> Callable[[], str]:
        def forget() -> str:
            left = suite.end_all(dead.run)
            if left:
                raise CannotTell(f"pid {left[0]} of it does not end", next_step=f"kill -9 {left[0]}")
            self._change(lambda known: known.without(dead.run))
            return ""

        return forget

    def _started(self) -> list[Item]:
        """Give the servers that were started for test runs of which none lives, where nothing else runs."""
        started = self.runners.started.get(self._name, {}) if self.runners else {}
        if not started or self.alive():
            return []
        name = f"what was started for tests: {', '.join(sorted(started))}"
        return [Item("entry", name, remove=lambda: self._stop(dict(started)))]

    def _stop(self, started: dict[str, str]) -> str:
        mains = processes.mains(self.session.target.marks)
        seen = {name: found[0][1] for name, found in mains.items()}
        if started.keys() == seen.keys() and all(_is_same(started[name], seen[name]) for name in seen):
            remove.down(self.session, Request(self.session.service_names))
        self._change(lambda known: known.with_started(self._name, {}))
        return ""

    def _forget_all(self) -> str:
        ours = [one.run for one in self.runners.runners if self._is_ours(one)] if self.runners else []
        self._change(lambda known: known.without(*ours).with_started(self._name, {}))
        return ""

    def _change(self, change: Callable[[RunnerList], RunnerList]) -> None:
        """Change the list as it is now, and read it back."""
        with self.register.locked():
            seen = self.register.read()
            if isinstance(seen, Unknown):
                raise CannotTell(f"the runner list cannot be read: {seen.cause}")
            wanted = change(seen.fact)
            self.register.write(wanted)
            again = self.register.read()
        if isinstance(again, Unknown) or again.fact != wanted:
            raise CannotTell("the runner list is not what was written", next_step=self.register.mending)


def _is_same(noted: str, seen: Running) -> bool:
    """Tell whether a process is the one that was noted; the version before told its start by the clock."""
    return noted in {seen.identity, f"{seen.identity.partition('@')[0]}@{seen.started:.2f}"}
