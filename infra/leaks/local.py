"""The sections that this machine answers: databases, data folders, buckets, run list."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra import embedded_store
from infra.cleanup import folder
from infra.cleanup.entries import Entries
from infra.homes import Home
from infra.leaks.section import Leak, Section, judged, unknown
from infra.model.errors import InfraError
from infra.model.naming import Names, get_s3_bucket
from infra.model.observed import UNPROVEN, Found, Unknown
from infra.model.runner import RunnerList
from infra.plan.buckets import is_leaked
from infra.plan.orphans import Rules, decide
from infra.session import Session
from infra.targets.process import census
from infra.testing.register import Register, living
from infra.testing.servers import Servers

if TYPE_CHECKING:
    from infra.targets.object_store import ObjectStore

GRACE = 600.0
MOST_UNKNOWN = 10
DATABASES, VOLUMES = "local worker databases", "local volumes"
BUCKETS, LIST = "local object store", "run list and cache"


@dataclass(frozen=True, slots=True)
class Here:
    """This checkout's local environment, the runner list as it was read, and the homes of all checkouts.

    `lost` are processes that go on although their folder was deleted.
    """

    session: Session
    servers: Servers
    register: Register
    runners: Found[RunnerList] | Unknown
    homes: tuple[Home, ...]
    namespace: str | None
    lost: tuple[census.Lost, ...] = ()

    def databases(self) -> Section:
        """Give the test databases that `cleanup.dbs` would drop."""
        if isinstance(self.runners, Unknown):
            return unknown(DATABASES, f"which runs live cannot be read: {self.runners.cause}")
        if not self._keeps("postgres"):
            return judged(DATABASES, (), "no database server was ever set up here")
        try:
            server, names = self.servers.database(), Names(self.session.project.name)
            rows = server.rows(f"{names.project}_")
            rules = Rules(self._living(), GRACE, server.now())
            gone = [one.database for one in decide(names, rows, rules) if one.is_drop]
            sizes = server.sizes(gone)
        except InfraError as error:
            return unknown(DATABASES, error.message)
        return judged(DATABASES, (Leak(name, size) for name, size in sorted(sizes.items())))

    def volumes(self) -> Section:
        """Give the data folders of checkouts that are gone; of unknown ones up to ten are no leak."""
        gone = [place for home in self.homes if home.presence == "gone" for place in _data(home)]
        strange = [place for home in self.homes if home.presence == "unknown" for place in _data(home)]
        leaking = [*gone, *(strange if len(strange) > MOST_UNKNOWN else ())]
        count = sum(len(list(_data(home))) for home in self.homes)
        words = f"{count} data folders; of {len(strange)} nothing says where their checkout is"
        return judged(VOLUMES, (Leak(str(one), folder.size([one])) for one in leaking), words)

    def buckets(self) -> Section:
        """Give the buckets of test runs that are over."""
        try:
            store = embedded_store.own(self.session) or embedded_store.foreign(self.session)
            if store is None or not (embedded_store.foreign(self.session) or self._keeps("minio")):
                return judged(BUCKETS, (), "no object store was ever set up here")
            if isinstance(self.runners, Unknown):
                return unknown(BUCKETS, f"which runs live cannot be read: {self.runners.cause}")
            return self._judged_buckets(store, store.buckets())
        except InfraError as error:
            return unknown(BUCKETS, error.message)

    def _judged_buckets(self, store: ObjectStore, found: Collection[str]) -> Section:
        spaces = {*self._living(), self.namespace}
        owned = {get_s3_bucket(one) for one in spaces if one}
        leaked = [one for one in found if is_leaked(one, get_s3_bucket(None), owned)]
        leaks = (Leak(one, sum(thing.size for thing in store.objects(one))) for one in leaked)
        return judged(BUCKETS, leaks, f"{len(found)} buckets")

    def entries(self) -> Section:
        """Give the entries of owners who ended, those of checkouts that are gone, and lost processes."""
        if isinstance(self.runners, Unknown):
            return unknown(LIST, f"the runner list cannot be read: {self.runners.cause}")
        try:
            stale = [one.name for one in Entries(self.session, self.register, self.runners.fact).items()]
        except InfraError as error:
            return unknown(LIST, error.message)
        known = {one.namespace for one in living(self.runners.fact.runners)}
        others = [
            f"the dead test run {one.namespace} (pid {one.pid}) of {one.root}"
            for one in self.runners.fact.runners
            if one.namespace not in known and one.servers != self.session.places.checkout
        ]
        gone = [*self._of_gone_checkouts(), *(f"the lost {one}" for one in self.lost)]
        told = {one.process.pid for one in self.lost}
        gone += [f"{one} {UNPROVEN}" for one in self.session.target.unproven() if int(one.pid) not in told]
        return judged(LIST, (Leak(one) for one in [*stale, *others, *gone]))

    def _of_gone_checkouts(self) -> Iterator[str]:
        started = self.runners.fact.started if isinstance(self.runners, Found) else {}
        gone = {home.checkout: home.path for home in self.homes if home.presence == "gone"}
        yield from (f"servers started for tests of {gone[name]}" for name in started if name in gone)

    def _keeps(self, service: str) -> bool:
        return Path(self.session.places.data(service)).exists()

    def _living(self) -> frozenset[str | None]:
        runners = self.runners.fact.runners if isinstance(self.runners, Found) else ()
        return frozenset(one.namespace or None for one in living(runners))


def _data(home: Home) -> Iterator[Path]:
    yield from (one for one in home.state.glob("*/data/*") if one.is_dir())
