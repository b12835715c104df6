"""The application: a FastAPI backend and its frontend, of one release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from infra.model.secret import LOCAL_ENVIRONMENTS, Place, Secret, SecretSpec
from infra.model.service import Container, Health, Limits, Part, Route, Service

if TYPE_CHECKING:
    from infra.model.addresses import Addresses

SERVE = (
    *("-m", "uvicorn", "--host", "$BIND", "--port", "$PORT"),
    *("--timeout-graceful-shutdown", "5", "--no-access-log"),
)
RELOAD = (
    # -B: a compiled module is known by whole seconds, so the second of two quick saves would not be seen.
    *("-B", "-m", "uvicorn", "--host", "$BIND", "--port", "$PORT", "--timeout-graceful-shutdown", "1"),
    *("--reload", "--reload-delay", "0.05"),
)
ASK_ANY = (
    "wget -q -O /dev/null http://127.0.0.1:%s 2>/dev/null || "
    "python -c \"import urllib.request as it; it.urlopen('http://127.0.0.1:%s', timeout=3)\""
)
ASK = "import urllib.request as it; it.urlopen('http://127.0.0.1:%s', timeout=3)"


def _database_url(values: Mapping[Place, Secret], at: Addresses) -> str:
    from infra.model import urls

    password = values["postgres", "APP_PASSWORD"].reveal()
    return urls.database_url(at.role, password, at.postgres, at.ports["postgres"], at.database)


def _redis_url(values: Mapping[Place, Secret], at: Addresses) -> str:
    from infra.model import urls

    return urls.redis_url(values["redis", "PASSWORD"].reveal(), at.redis, at.ports["redis"])


def _object_store(_values: Mapping[Place, Secret], at: Addresses) -> str | None:
    return at.object_store or None


def _access_key(values: Mapping[Place, Secret], at: Addresses) -> str | None:
    return values["minio", f"{at.object_store_login}_USER"].reveal() if at.owns_object_store else None


def _secret_key(values: Mapping[Place, Secret], at: Addresses) -> str | None:
    return values["minio", f"{at.object_store_login}_PASSWORD"].reveal() if at.owns_object_store else None


def _bucket(_values: Mapping[Place, Secret], at: Addresses) -> str | None:
    return at.bucket or None


APP = Service(
    name="app",
    needs=("postgres", "redis"),
    beside=("router", "minio"),
    from_source=True,
    write_probe="object_store",
    parts=(
        Part(
            name="backend",
            program="python",
            command=(*SERVE, "src.main:app"),
            development=(*RELOAD, "--reload-dir", "src", "src.main:app"),
            port=8000,
            health=Health("http", "/health", start_period=60),
            limits=Limits(memory_mib=768, processes=300),
            entrypoint="backend",
            folder="apps/backend",
            container=Container(
                program=("python",), check=("python", "-c", ASK % "8000/health"), base="python"
            ),
        ),
        Part(
            name="frontend",
            program="python",
            command=(*SERVE, "server:app"),
            development=(*RELOAD, "server:app"),
            port=3000,
            health=Health("http", "/"),
            limits=Limits(memory_mib=768, processes=200),
            folder="apps/frontend",
            after=("backend",),
            reads_secrets=False,
            container=Container(
                check=("sh", "-c", ASK_ANY % ("3000/", "3000/")),
                base="python",
                build_args=("NEXT_PUBLIC_API_URL",),
            ),
        ),
    ),
    secrets=(
        SecretSpec("app", "DATABASE_URL", "derived", derive=_database_url),
        SecretSpec("app", "REDIS_URL", "derived", derive=_redis_url),
        *(
            SecretSpec("app", key, "derived", derive=derive, optional_in=LOCAL_ENVIRONMENTS, is_plain=plain)
            for key, derive, plain in (
                ("S3_ENDPOINT", _object_store, True),
                ("S3_BUCKET", _bucket, True),
                ("S3_ACCESS_KEY", _access_key, False),
                ("S3_SECRET_KEY", _secret_key, False),
            )
        ),
        SecretSpec("app", "OPENROUTER_API_KEY", "operator", optional_in=LOCAL_ENVIRONMENTS),
    ),
    routes=(
        Route("finance-report-api", "backend", 100, path="/api", strip=True),
        Route("finance-report-web", "frontend", 10),
    ),
)
