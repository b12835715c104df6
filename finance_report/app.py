"""The application: a FastAPI backend and its frontend, of one release."""

from infra.model.secret import LOCAL_ENVIRONMENTS, SecretSpec
from infra.model.service import Health, Limits, Part, Route, Service

SERVE = ("-m", "uvicorn", "--host", "$BIND", "--port", "$PORT", "--timeout-graceful-shutdown", "5", "--no-access-log")


def _database_url(secrets, addresses):
    p = secrets[("postgres", "APP_PASSWORD")].reveal()
    return f"postgresql+asyncpg://{addresses.role}:{p}@{addresses.host}:{addresses.ports['postgres']}/{addresses.database}"


def _redis_url(secrets, addresses):
    return f"redis://:{secrets[('redis', 'PASSWORD')].reveal()}@{addresses.host}:{addresses.ports['redis']}/0"


APP = Service(
    name="app",
    needs=("postgres", "redis"),
    beside=("router",),
    from_source=True,
    parts=(
        Part(
            name="backend",
            program="python",
            command=(*SERVE, "src.main:app"),
            port=8000,
            health=Health("http", "/health", start_period=60),
            limits=Limits(memory_mib=768, processes=300),
            entrypoint="backend",
            folder="apps/backend",
        ),
        Part(
            name="frontend",
            program="python",
            command=(*SERVE, "server:app"),
            port=3000,
            health=Health("http", "/"),
            limits=Limits(memory_mib=768, processes=200),
            folder="apps/frontend",
            after=("backend",),
            reads_secrets=False,
        ),
    ),
    secrets=(
        SecretSpec("app", "DATABASE_URL", "derived", derive=_database_url),
        SecretSpec("app", "REDIS_URL", "derived", derive=_redis_url),
    ),
    routes=(
        Route("finance-report-api", "backend", 100, path="/api", strip=True),
        Route("finance-report-web", "frontend", 10),
    ),
)
