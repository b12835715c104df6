"""The yardstick: the same six programs, started by the shortest script that still waits for what each needs.

    python bench/bare.py FOLDER prepare      a cluster, a role, a database, a snapshot (not timed)
    python bench/bare.py FOLDER run          prints the seconds to the first routed 200 on /api/health and /

PostgreSQL, Valkey and Traefik start at once; migrations when PostgreSQL answers; the backend when both
stores answer and the migrations are done; the frontend when the backend is healthy. Nothing is checked,
recorded or kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PORTS = {"postgres": 15432, "redis": 16379, "router": 13000, "backend": 18000, "frontend": 13001}
PASSWORD = "bench-only"  # noqa: S105  # a throw-away server on loopback
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "ENV": "development",
    "DATABASE_URL": f"postgresql+asyncpg://postgres:{PASSWORD}@127.0.0.1:{PORTS['postgres']}/bench",
    "REDIS_URL": f"redis://127.0.0.1:{PORTS['redis']}/0",
    "GIT_COMMIT_SHA": "0" * 40,
    "PUBLIC_URL": f"http://127.0.0.1:{PORTS['router']}",
    "PYTHONUNBUFFERED": "1",
}


def demoted() -> dict[str, Any]:
    """Give the options that run PostgreSQL as an ordinary user."""
    nobody = pwd.getpwnam("nobody")
    return {"user": "nobody", "group": nobody.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}


def programs(folder: Path) -> dict[str, str]:
    """Give the paths of the servers; PostgreSQL from a folder that its user can enter."""
    from infra.targets.process.programs import copied, find, install

    postgres = find("postgres")
    if os.getuid() == 0:
        postgres = copied(postgres, folder / "programs")
        if not Path(postgres.argv[0]).exists():
            install(postgres)
    return {"postgres": postgres.argv[0], "redis": find("redis").argv[0], "traefik": find("traefik").argv[0]}


def prepare(folder: Path) -> None:
    """Make what a warm start finds: data, configuration, the application's tree."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o711)
    shutil.copytree(ROOT / "reference_app" / "apps", folder / "apps")
    cluster, words = folder / "pg", folder / "words"
    cluster.mkdir()
    words.write_text(PASSWORD + "\n", encoding="ascii")
    if os.getuid() == 0:
        shutil.chown(cluster, "nobody")
        shutil.chown(words, "nobody")
    initdb = str(Path(programs(folder)["postgres"]).with_name("initdb"))
    options = [
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        "--pwfile",
        str(words),
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    home = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    subprocess.run(
        [initdb, "-D", str(cluster), *options],
        check=True,
        capture_output=True,
        cwd="/",
        env=home,
        **demoted(),
    )
    (folder / "traefik.json").write_text(json.dumps(static(folder)), encoding="ascii")
    (folder / "routes.yaml").write_text(json.dumps(routes()), encoding="ascii")
    (folder / "paths.json").write_text(json.dumps(programs(folder)), encoding="utf-8")


def static(folder: Path) -> dict[str, Any]:
    """Give Traefik's static configuration."""
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {"web": {"address": f"127.0.0.1:{PORTS['router']}"}},
        "providers": {"file": {"filename": str(folder / "routes.yaml")}},
    }


def routes() -> dict[str, Any]:
    """Give Traefik's routes: /api to the backend, the rest to the frontend."""
    api = {"rule": "PathPrefix(`/api/`)", "service": "api", "middlewares": ["strip"], "priority": 100}
    return {
        "http": {
            "routers": {"api": api, "web": {"rule": "PathPrefix(`/`)", "service": "web", "priority": 10}},
            "middlewares": {"strip": {"stripPrefix": {"prefixes": ["/api"]}}},
            "services": {name: _balancer(port) for name, port in (("api", 18000), ("web", 13001))},
        },
    }


def _balancer(port: int) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}


def answers(port: int) -> bool:
    """Tell whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def healthy(url: str) -> bool:
    """Tell whether this address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition: Any, *arguments: Any) -> None:
    """Wait for a condition, asked every 10 ms, 30 s at most."""
    deadline = time.monotonic() + 30
    while not condition(*arguments):
        if time.monotonic() > deadline:
            raise SystemExit(f"not in time: {condition.__name__} {arguments}")
        time.sleep(0.01)


def run(folder: Path) -> float:
    """Give the seconds from nothing to the first routed 200 of both addresses."""
    paths = json.loads((folder / "paths.json").read_text(encoding="utf-8"))
    started: list[subprocess.Popen[bytes]] = []
    backend, frontend = folder / "apps" / "backend", folder / "apps" / "frontend"
    base = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]

    def start(argv: list[str], cwd: Path = folder, **options: Any) -> subprocess.Popen[bytes]:
        environment = {**ENVIRONMENT, "HOME": str(folder), "PYTHONPATH": str(cwd)}
        with (folder / "log").open("ab") as log:
            child = subprocess.Popen(
                argv, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True, **options
            )
        started.append(child)
        return child

    began = time.monotonic()
    try:
        start([paths["postgres"], "-D", str(folder / "pg"), "-p", str(PORTS["postgres"]), *base], **demoted())
        start(
            [
                paths["redis"],
                "--port",
                str(PORTS["redis"]),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(folder),
                "--save",
                "",
            ]
        )
        start([paths["traefik"], f"--configFile={folder}/traefik.json"])
        until(answers, PORTS["postgres"])
        ensure_database()
        if start([sys.executable, "-m", "alembic", "upgrade", "head"], backend).wait() != 0:
            raise SystemExit((folder / "log").read_text(encoding="utf-8")[-2000:])
        until(answers, PORTS["redis"])
        serve = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port"]
        start([*serve, str(PORTS["backend"]), "src.main:app"], backend)
        until(healthy, f"http://127.0.0.1:{PORTS['backend']}/health")
        start([*serve, str(PORTS["frontend"]), "server:app"], frontend)
        until(healthy, f"http://127.0.0.1:{PORTS['router']}/api/health")
        until(healthy, f"http://127.0.0.1:{PORTS['router']}/")
        return time.monotonic() - began
    finally:
        end(started)


def ensure_database() -> None:
    """Make the database on the first run; later runs only see that it is there."""
    import psycopg

    while True:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=PORTS["postgres"],
                user="postgres",
                password=PASSWORD,
                dbname="postgres",
                autocommit=True,
            ) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bench'").fetchone():
                    connection.execute("CREATE DATABASE bench")
                return
        except psycopg.OperationalError:
            time.sleep(0.01)


def end(started: list[subprocess.Popen[bytes]]) -> None:
    """End what this script started, the stores last."""
    for child in reversed(started):
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT if started.index(child) == 0 else signal.SIGTERM)
    for child in started:
        child.wait(20)


if __name__ == "__main__":
    place, act = Path(sys.argv[1]), sys.argv[2]
    if act == "prepare":
        prepare(place)
    else:
        print(f"{run(place):.3f}")
