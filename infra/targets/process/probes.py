"""Is a unit ready? Asked over its own protocol on loopback, with no more than the standard library."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from infra.model import dotenv
from infra.model.addresses import LOOPBACK
from infra.model.unit import Unit
from infra.model.variables import seen_by
from infra.targets.bounded import Wire, lines
from infra.targets.process import door

SOCKET_OPTION = "--unixsocket"
PING = b"*1\r\n$4\r\nPING\r\n"
LONGEST_ANSWER = 64 * 1024


def fault(unit: Unit) -> str:
    """Give why the unit is not ready, in a few words without secrets; an empty text when it is ready."""
    try:
        return _PROBES[unit.health.probe](unit)
    except (ConnectionRefusedError, FileNotFoundError):
        return "connection refused"
    except (TimeoutError, subprocess.TimeoutExpired):
        return f"no answer in {unit.health.timeout} s"
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    except (KeyError, ValueError):
        return "its secrets file cannot be used"


def _postgres(unit: Unit) -> str:
    program = Path(unit.argv[0]).with_name("pg_isready")
    asked = [str(program), "-q", "-h", LOOPBACK, "-p", str(unit.port), "-t", str(unit.health.timeout)]
    env = seen_by("tool", dict(unit.environment))
    code = subprocess.run(asked, check=False, stdin=subprocess.DEVNULL, env=env).returncode
    return {0: "", 1: "starting up", 2: "connection refused"}.get(code, f"pg_isready exit {code}")


def _redis(unit: Unit) -> str:
    """Log in by the server's own socket: who is faster on its port while it restarts hears no password."""
    text = Path(dict(unit.environment)["INFRA_SECRETS_FILE"]).read_text(encoding="utf-8")
    password = dotenv.parse(text)["PASSWORD"].encode()
    asked = b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(password), password) + PING
    if SOCKET_OPTION not in unit.argv:
        return _any_redis(unit)
    folder, name = (unit.argv[unit.argv.index(option) + 1] for option in ("--dir", SOCKET_OPTION))
    with door.connect(Path(folder), name, unit.health.timeout) as peer:
        said = lines(peer, asked, 2, unit.health.timeout, LONGEST_ANSWER)
    if said != ["+OK", "+PONG"]:
        return f"answered {' '.join(said)[:80]}"
    return _any_redis(unit)


def on_port(unit: Unit) -> Unit:
    """Give a cache that an earlier version started: it has no socket, and is asked without a login."""
    return replace(unit, argv=tuple(word for word in unit.argv if word != SOCKET_OPTION))


def _any_redis(unit: Unit) -> str:
    """Ask on the port, where the application will, without a login; that is refused, and is an answer."""
    with socket.create_connection((LOOPBACK, unit.port), unit.health.timeout) as peer:
        (said,) = lines(peer, PING, 1, unit.health.timeout, LONGEST_ANSWER)
    return "" if said.startswith(("-NOAUTH", "+PONG")) else f"answered {said[:80]}"


def _status(unit: Unit) -> int:
    deadline = time.monotonic() + unit.health.timeout
    with socket.create_connection((LOOPBACK, unit.port), unit.health.timeout) as peer:
        connection = http.client.HTTPConnection(LOOPBACK, unit.port)
        connection.sock = Wire(peer, deadline, LONGEST_ANSWER)
        connection.request("GET", unit.health.path, headers={"Host": "localhost"})
        return connection.getresponse().status


def _http(unit: Unit) -> str:
    status = _status(unit)
    return "" if status == http.client.OK else f"GET {unit.health.path} answered {status}"


def _answers(unit: Unit) -> str:
    _status(unit)
    return ""


def _agent(unit: Unit) -> str:
    """Run the agent's own health check; without the marks of the unit, which it is no part of."""
    variables = dict(unit.environment)
    if not Path(variables["INFRA_SECRETS_FILE"]).exists():
        return "it has rendered nothing yet"
    done = subprocess.run(
        ("/bin/sh", str(Path(unit.argv[1]).with_name("health.sh"))),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=unit.health.timeout,
        env=dict(unit.beside.environment),
    )
    if done.returncode == 0:
        return ""
    reason = re.search(r"reason=(\S+)", done.stdout)
    return reason[1] if reason else f"its health check ended with {done.returncode}"


_PROBES: dict[str, Callable[[Unit], str]] = {
    "postgres": _postgres,
    "redis": _redis,
    "http": _http,
    "answers": _answers,
    "agent": _agent,
}
