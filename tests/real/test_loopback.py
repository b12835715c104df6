"""Where the name localhost is ::1 first, who listens there is told nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.targets.process import secret_files
from tests import neighbour
from tests.real.conftest import Checkout, Done, kill
from tests.waiting import until

pytestmark = pytest.mark.real
HOSTS = "::1 localhost\n127.0.0.1 localhost\n"
BIND = 'mount --bind "$0" /etc/hosts && exec "$@"'
EAR = """
import os, select, socket, sys
os.setuid(int(sys.argv[1]))
ears = [socket.create_server(("::1", int(port)), family=socket.AF_INET6) for port in sys.argv[2:]]
print("listening", flush=True)
while True:
    for ear in select.select(ears, [], [])[0]:
        peer = ear.accept()[0]
        peer.settimeout(2)
        print("heard", ear.getsockname()[1], peer.recv(4096), flush=True)
        peer.close()
"""


@neighbour.needs_root
@pytest.mark.needs("unshare")
@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no ::1")
def test_a_neighbour_on_ipv6_hears_nothing_where_localhost_means_them_first(checkout: Checkout) -> None:
    _run(checkout, "finance_report.app.setup")
    listen = [sys.executable, "-c", EAR, str(neighbour.NEIGHBOUR), *map(str, checkout.ports.values())]
    ear = subprocess.Popen(listen, stdout=subprocess.PIPE, text=True)
    assert ear.stdout
    assert ear.stdout.readline() == "listening\n"
    try:
        _everything_connects_anew(checkout)
    finally:
        kill(ear)
        heard = ear.stdout.read()
    assert heard == ""


def _everything_connects_anew(checkout: Checkout) -> None:
    """Restart what has logins, have each store written to, and ask what people ask."""
    _run(checkout, "finance_report.app.setup", "--force")
    until(lambda: checkout.get("/api/health?full=1")[0] == 200)
    for words in ("finance_report.status", "smoke", "vault.check"):
        _run(checkout, words)


def test_no_address_that_is_stored_printed_or_given_to_a_process_has_a_name(checkout: Checkout) -> None:
    done = checkout.setup()
    seen = [done.out, done.err, checkout.run("env.show").out, checkout.run("test.names").out]
    for process in (one for many in checkout.processes().values() for one in many):
        variables = process.environ()
        seen += [" ".join(process.cmdline()), *variables.values()]
        if file := variables.get("INFRA_SECRETS_FILE"):
            seen += [value.reveal() for value in secret_files.read(Path(file)).values()]
    named = [text for text in seen if "localhost" in text.replace("localhost,127.0.0.1,::1", "")]
    assert named == []


def _run(checkout: Checkout, *words: str) -> Done:
    hosts = checkout.folder / "hosts"
    hosts.write_text(HOSTS, encoding="utf-8")
    argv = ["unshare", "--mount", "sh", "-c", BIND, str(hosts), sys.executable, "-m", "invoke", *words]
    done = subprocess.run(
        argv, cwd=checkout.root, env=checkout.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Done(done.returncode, done.stdout, done.stderr)
