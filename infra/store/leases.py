"""Leases by check-and-set: who deploys an environment. A dead owner's is taken over, a live one's never.

Whether one is over is judged without any time of day. On this machine its process and the monotonic clock
tell; of another machine's it is over when we have seen it unchanged for its whole life.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from infra.model.errors import CasLost, InfraError, LeaseHeld, NotFound, StoreError
from infra.model.lease import LIFETIME, RENEWAL, Lease, lease_from_json
from infra.store import records
from infra.store.interface import Store
from infra.store.owner import age_of, is_gone
from infra.store.paths import environment_name

Clock = Callable[[], datetime]
Ticks = Callable[[], float]
_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that was taken, and the version it was written as; an inherited one is a parent task's."""

    lease: Lease
    version: int
    is_inherited: bool = False


def standing(store: Store, path: str) -> Lease | None:
    """Give the lease that stands at a path, also an expired one; None when nobody holds it."""
    return _read(store, path)[0]


def is_over(lease: Lease, ticks: float, seen_for: float = 0.0) -> bool:
    """Tell whether nobody holds a lease any more, at `ticks` of our monotonic clock.

    `seen_for` is for how many seconds we have seen it unchanged: all that tells of another machine's.
    """
    age = age_of(lease, ticks)
    return is_gone(lease) or lease.is_over(seen_for if age is None else age)


def acquire(
    store: Store,
    path: str,
    claim: Lease,
    clock: Clock,
    *,
    wait: float = 0.0,
    on_wait: Callable[[Lease], None] = lambda _: None,
    choice: str = "",
    ticks: Ticks = time.monotonic,
) -> Taken:
    """Take the lease, waiting up to `wait` seconds; LeaseHeld names who has it. A retry is safe.

    `on_wait` is called with the holder about five times a second while waiting. `choice` is how a person
    chooses the environment on a command line, when it is not by `--env` alone.
    """
    deadline = time.monotonic() + wait
    seen, since = -1, ticks()
    while True:
        holder, version = _read(store, path)
        if version != seen:
            seen, since = version, ticks()
        has_ended = holder is None or is_over(holder, ticks(), ticks() - since)
        if holder and holder.run_id == claim.run_id and not has_ended:
            return Taken(holder, version, is_inherited=True)
        if holder is None or has_ended:
            with suppress(CasLost):
                return _write(store, path, claim.taken(clock(), ticks()), version)
            continue
        if time.monotonic() >= deadline:
            raise held(path, holder, choice)
        on_wait(holder)
        time.sleep(min(_POLL, max(0.0, deadline - time.monotonic())))


def renew(store: Store, path: str, taken: Taken, clock: Clock, ticks: Ticks = time.monotonic) -> Taken:
    """Give the lease with 15 new minutes; CasLost when somebody else has taken or broken it."""
    return _write(store, path, taken.lease.renewed(clock(), ticks()), taken.version)


def release(store: Store, path: str, taken: Taken) -> None:
    """Free the lease; CasLost when it is not ours any more."""
    records.write(store, path, {}, cas=taken.version)


def break_lease(store: Store, path: str) -> Lease | None:
    """Free the lease whoever holds it, and give who that was; its holder notices at its next renewal."""
    holder, version = _read(store, path)
    if holder is not None:
        records.write(store, path, {}, cas=version)
    return holder


@contextmanager
def hold(
    store: Store,
    path: str,
    claim: Lease,
    clock: Clock,
    *,
    wait: float = 0.0,
    on_wait: Callable[[Lease], None] = lambda _: None,
    renew_every: float = RENEWAL.total_seconds(),
    choice: str = "",
    ticks: Ticks = time.monotonic,
) -> Iterator[Holding]:
    """Hold the lease for the body: taken before, renewed meanwhile, freed after. LeaseHeld: see `acquire`."""
    taken = acquire(store, path, claim, clock, wait=wait, on_wait=on_wait, choice=choice, ticks=ticks)
    holding = Holding(store, path, taken, clock, ticks)
    holding.start(renew_every)
    try:
        yield holding
    finally:
        holding.end()


class Holding:
    """A lease while it is held, renewed by a thread; `lost` says that it is ours no more, `cause` why."""

    def __init__(
        self, store: Store, path: str, taken: Taken, clock: Clock, ticks: Ticks = time.monotonic
    ) -> None:
        self._store, self._path, self._clock, self._ticks = store, path, clock, ticks
        self._taken = taken
        self._is_over = threading.Event()
        self._keeper: threading.Thread | None = None
        self.lost = False
        self.cause = ""

    @property
    def lease(self) -> Lease:
        """The lease as it was last written."""
        return self._taken.lease

    def start(self, every: float) -> None:
        """Renew every so many seconds from now on; an inherited lease is its parent's to renew."""
        if not self._taken.is_inherited:
            self._keeper = threading.Thread(target=self._keep, args=(every,), daemon=True, name="lease")
            self._keeper.start()

    def end(self) -> None:
        """Stop renewing and free the lease where it is ours; what cannot be freed now runs out by itself."""
        self._is_over.set()
        if self._keeper is not None:
            self._keeper.join()
        if not self.lost and not self._taken.is_inherited:
            with suppress(InfraError):
                release(self._store, self._path, self._taken)

    def _keep(self, every: float) -> None:
        while not self._is_over.wait(every) and not self.lost:
            try:
                self._taken = renew(self._store, self._path, self._taken, self._clock, self._ticks)
            except CasLost:
                self._lose(_whose(self._store, self._path))
            except InfraError as error:
                # Nobody answered: the lease stays ours until its time is over.
                if self.lease.is_over(self._ticks() - self.lease.ticks):
                    self._lose(f"it could not be renewed in time: {error.message}")

    def _lose(self, cause: str) -> None:
        self.cause = cause
        self.lost = True


def _read(store: Store, path: str) -> tuple[Lease | None, int]:
    try:
        record, version = records.read(store, path)
    except NotFound:
        return None, 0
    try:
        return (lease_from_json(record) if record else None), version
    except (KeyError, TypeError, ValueError):
        raise StoreError(f"{path}: version {version} is no lease") from None


def _write(store: Store, path: str, lease: Lease, cas: int) -> Taken:
    return Taken(lease, records.write(store, path, lease.as_json(), cas))


def _whose(store: Store, path: str) -> str:
    """Say who has it now, as well as that can be told."""
    with suppress(InfraError):
        holder = standing(store, path)
        return f"taken by {holder}" if holder else "freed by somebody else"
    return "taken or freed by somebody else"


def held(path: str, holder: Lease, choice: str = "") -> LeaseHeld:
    """Give the error for a lease that another one holds, with what would free it."""
    name = environment_name(path)
    chosen = choice or f"--env {name}"
    by_itself = "" if is_known_here(holder) else f"; {by_waiting()}"
    freed = f'./inv lock.release {chosen} --reason "..." frees it whoever holds it{by_itself}'
    return LeaseHeld(
        f"{name} is being deployed by {holder}", next_step=f"./inv lock.status {chosen}", evidence=(freed,)
    )


def is_known_here(lease: Lease) -> bool:
    """Tell whether this machine can judge a lease by itself, without watching it for its whole life."""
    return age_of(lease, time.monotonic()) is not None


def by_waiting() -> str:
    """Give the words on how the lease of another machine ends without anybody's hand."""
    seconds = LIFETIME.total_seconds()
    return f"it is over once it was seen unchanged for {seconds / 60:.0f} min: --lock-wait {seconds + 60:.0f}"
