"""The statements as the bank sent them: files in the bucket. Only after login."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import StringConstraints

from src.bucket import Bucket, NoSuchFile, StoredFile
from src.sessions import current_user
from src.stores import Bucket as MaybeBucket

LIMIT = 5 * 1024 * 1024  # bytes of one file
AT_ONCE = asyncio.Semaphore(16)  # each holds its file twice: together they stay below the limit of memory
ARRIVES_WITHIN = 60  # seconds
UNSET = "no object store is set: S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY and S3_BUCKET are empty"

Name = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z ._-]{0,99}$")]
ANY_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

# The login comes first: who may not see the files learns nothing of the store either.
router = APIRouter(prefix="/statements/files", tags=["reconciliation"], dependencies=[Depends(current_user)])


async def _bucket(bucket: MaybeBucket) -> Bucket:
    if bucket is None:
        raise HTTPException(503, UNSET)
    return bucket


Files = Annotated[Bucket, Depends(_bucket)]


@router.get("")
async def read_all(files: Files) -> list[StoredFile]:
    """All files, by name; 503 without an object store."""
    return await files.list()


@router.post("/{name}", status_code=201, openapi_extra=ANY_BYTES)
async def upload(name: Name, request: Request, files: Files) -> dict[str, Any]:
    """Keep the request's body under this name, in place of what was there; 413 over 5 MiB."""
    async with AT_ONCE:
        content = await _body(request)
        await files.put(name, content)
    return {"name": name, "size": len(content)}


@router.get("/{name}", response_class=Response)
async def download(name: Name, files: Files) -> Response:
    """The file as it was sent, never shown by the browser; 404 when there is none."""
    try:
        content = await files.get(name)
    except NoSuchFile:
        raise HTTPException(404, f"no file {name}") from None
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _body(request: Request) -> bytes:
    """The whole body, which is bounded; who sends it too slowly keeps others waiting."""
    try:
        async with asyncio.timeout(ARRIVES_WITHIN):
            content = await request.body()
    except TimeoutError:
        raise HTTPException(408, f"a file arrives within {ARRIVES_WITHIN} s") from None
    if not content:
        raise HTTPException(422, "the file is empty")
    return content
