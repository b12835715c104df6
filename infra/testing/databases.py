"""The databases of one run: copied from a migrated template, each once, all dropped at the end."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256

from infra.model.clock import iso
from infra.model.database_mark import Mark
from infra.model.errors import InfraError
from infra.model.safety import Permit
from infra.model.secret import Secret
from infra.plan.orphans import making_name
from infra.testing.ground import Ground
from infra.testing.server import Server

AT_ONCE = 10


@dataclass(slots=True)
class Databases:
    """What this run makes on its server, by the leave that it was given."""

    ground: Ground
    server: Server
    password: Secret
    permit: Permit
    template: str = ""
    _made: dict[str, Future[str]] = field(default_factory=dict)
    _unfinished: set[str] = field(default_factory=set)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE))
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def clear_leftovers(self) -> None:
        """Drop what an earlier run of this namespace left."""
        for database in self.server.comments(self.permit.databases):
            self.server.drop(self.permit, database)

    def make_main(self) -> Secret:
        """Make the main database and give its address."""
        return Secret(self._make(self.ground.database))

    def worker(self, worker: str) -> str:
        """Give the address of a worker's database, made at its first call; BadInput for what is no worker."""
        database = self.ground.names.get_worker_db_name(self.ground.namespace, worker)
        with self._turn:
            if database not in self._made:
                self._made[database] = self._pool.submit(self._make, database)
        return self._made[database].result()

    def drop_all(self) -> list[str]:
        """Drop every database of this run and give a line for each that is still there."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        wanted = self.permit.databases | self._unfinished
        leave = Permit(wanted)
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                faults = dict(
                    pool.map(lambda one: (one, self._fault(leave, one)), self.server.comments(wanted))
                )
            return [f"{name}: {faults.get(name) or 'it came back'}" for name in self.server.comments(wanted)]
        except InfraError as error:
            return [f"{self.ground.database}: {error.message}"]

    def beside(self, database: str) -> str:
        """Give the name that a database has while this run makes it; what is left there goes at the end."""
        token = sha256(f"{self.ground.run} {database}".encode()).hexdigest()
        name = making_name(self.ground.names, token)
        self._unfinished.add(name)
        return name

    def address(self, database: str) -> Secret:
        """Give the address of a database for the application's role."""
        return self.ground.url(self.server, self.password, database)

    def _make(self, database: str) -> str:
        mark = Mark("test", self.ground.namespace or "", iso(self.server.now()))
        role, beside = self.ground.servers.role, self.beside(database)
        self.server.copy(self.template, database, str(mark), owner=role, beside=beside)
        return self.address(database).reveal()

    def _fault(self, leave: Permit, database: str) -> str:
        try:
            return "" if self.server.drop(leave, database) else "it is in use"
        except InfraError as error:
            return error.message
