"""The files of the statements, in a bucket of an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

from src import remote

if TYPE_CHECKING:
    from src.config import Settings

FOLDER = "uploads/"
ANSWER_SECONDS = 5


class StoredFile(BaseModel):
    """A file as the bucket lists it; the size is in bytes."""

    name: str
    size: int
    modified: datetime


class NoSuchFile(Exception):
    """The bucket has no file of this name."""


class BucketFault(ConnectionError):
    """The object store does not do what it is asked; the message is the kind of its error."""


class Bucket(Protocol):
    """Files by name. Raises BucketFault when the store refuses or does not answer: trying again is safe."""

    async def check(self, seconds: float) -> None:
        """Return when the bucket is there and open to our key, raise otherwise."""

    async def put(self, name: str, content: bytes) -> None:
        """Keep the file; one of the same name is replaced."""

    async def get(self, name: str) -> bytes:
        """The file's content; NoSuchFile when there is none."""

    async def list(self) -> list[StoredFile]:
        """All files, by name."""


class S3Bucket:
    """A bucket that speaks S3. Its client is imported where a bucket is set, and nowhere else."""

    def __init__(self, settings: Settings) -> None:
        from obstore.store import S3Store

        self._settings = settings
        self._store = S3Store(
            settings.s3_bucket,
            endpoint=settings.s3_endpoint,
            access_key_id=settings.s3_access_key.get_secret_value(),
            secret_access_key=settings.s3_secret_key.get_secret_value(),
            region=remote.REGION,
            client_options={"allow_http": True, "connect_timeout": "2s", "timeout": f"{ANSWER_SECONDS}s"},
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=ANSWER_SECONDS)},
        )

    async def check(self, seconds: float) -> None:
        await remote.beside(remote.require_bucket, self._settings, seconds)

    async def put(self, name: str, content: bytes) -> None:
        with _faults_named():
            await self._store.put_async(FOLDER + name, content)

    async def get(self, name: str) -> bytes:
        with _faults_named():
            try:
                found = await self._store.get_async(FOLDER + name)
            except FileNotFoundError:
                raise NoSuchFile(name) from None
            return bytes(await found.bytes_async())

    async def list(self) -> list[StoredFile]:
        with _faults_named():
            found = await self._store.list(FOLDER).collect_async()
        files = [
            StoredFile(name=one["path"].removeprefix(FOLDER), size=one["size"], modified=one["last_modified"])
            for one in found
        ]
        return sorted(files, key=lambda file: file.name)


@contextmanager
def _faults_named() -> Iterator[None]:
    """The client's text may hold an address, so that only the kind of its error goes on."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        raise BucketFault(type(error).__name__) from None
