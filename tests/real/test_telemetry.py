"""What a real start and deploy report, and that no receiver delays or fails them."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from infra.verify.loopback import hanging, refusing
from tests.doubles.otlp_receiver import Receiver, receiving
from tests.real.conftest import Checkout, Done
from tests.real.test_sweep import Sweep, hear, secrets_of

pytestmark = pytest.mark.real
STARTED = [(1, "ok", ""), (2, "ok", ""), (3, "ok", "")]
OUTSIDE_STAGES = 2.0 + 1.5  # the receiver's share, and what opening a session and its lease may take


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running
    assert running.faults == []


def report_to(checkout: Checkout, url: str) -> None:
    checkout.settings(f'telemetry: {{endpoint: "{url}"}}\n')


def unhurried(done: Done) -> None:
    """Require that a command took no longer than its stages and the receiver's share."""
    told = done.json
    assert told["duration_s"] - sum(told["timings"].values()) < OUTSIDE_STAGES, told["timings"]


def ends(receiver: Receiver) -> set[tuple[str, str, str]]:
    """Service, deploy and verdict of each end that was told."""
    return {
        (one.resource["infra.service"], one.resource["infra.deploy"], one.attributes["deploy.verdict"])
        for one in receiver.of("deploy.end")
    }


def test_checkpoints_and_deploys_arrive_with_tag_version_and_deploy_and_without_a_secret(
    checkout: Checkout, receiver: Receiver
) -> None:
    report_to(checkout, receiver.url)
    done = checkout.setup("--json")
    deploy, version = done.json["deploy_id"], checkout.health["version"]
    receiver.until(lambda: receiver.checkpoints == STARTED)
    assert {frozenset(one.resource.items()) for one in receiver.of("")} == {
        frozenset(
            {
                "service.name": "finance-report-backend",
                "deployment.environment": "development",
                "service.version": version,
                "infra.deploy": deploy,
            }.items()
        )
    }
    services = {"postgres", "redis", "router", "minio", "app"}
    assert ends(receiver) == {(name, deploy, "ok") for name in services}
    for event in ("deploy.start", "deploy.verdict", "deploy.end"):
        app = next(one for one in receiver.of(event) if one.resource["infra.service"] == "app")
        assert app.resource["service.version"] == version
        assert app.resource["deployment.environment"] == "development"
    assert f"to {receiver.url}" in checkout.run("doctor").out
    assert f"telemetry: on, to {receiver.url}" in checkout.run("finance_report.app.plan").err
    _fail_and_go_back(checkout, receiver)
    sweep = Sweep(secrets_of(checkout))
    hear(sweep, "setup", done)
    sweep.look("records", b"\n".join(receiver.bodies).decode())
    assert sweep.seen == set()


def _fail_and_go_back(checkout: Checkout, receiver: Receiver) -> None:
    """Break the next release, and find its failure and the way back by the filter that is printed."""
    receiver.records.clear()
    checkout.misbehave(mode="failing_migration")
    failed = checkout.run("finance_report.app.setup")
    assert failed.code == 1
    line = next(line for line in failed.err.splitlines() if "telemetry: deployment" in line)
    wanted = dict(word.split("=") for word in line.strip().removeprefix("telemetry: ").split())
    receiver.until(lambda: (2, "fail", "migration_error") in receiver.checkpoints)
    found = [one for one in receiver.records if wanted.items() <= one.resource.items()]
    assert [one.attributes["checkpoint.reason"] for one in found if one.severity == 17][:1] == [
        "migration_error"
    ]
    receiver.until(lambda: ("app", wanted["infra.deploy"], "failed_rolled_back") in ends(receiver))
    assert {verdict for service, deploy, verdict in ends(receiver) if deploy != wanted["infra.deploy"]} == {
        "ok"
    }


def test_a_receiver_that_is_gone_or_hangs_delays_no_setup_and_is_said_once(checkout: Checkout) -> None:
    with refusing() as gone:
        report_to(checkout, gone)
        done = checkout.setup("--json")
        unhurried(done)
        host = gone.removeprefix("http://")
        assert done.err.count("telemetry:") == 1
        assert f"telemetry: {host} did not take a record: Connection refused" in done.err
    with hanging() as silent:
        report_to(checkout, silent)
        done = checkout.setup("--json")
        assert done.json["outcome"] == "deployed", "another receiver is another bundle"
        unhurried(done)
        assert done.err.count("did not take a record") == 1
        backend = psutil.Process(checkout.pids()["backend"]).environ()
        assert backend["OTEL_RESOURCE_ATTRIBUTES"].endswith(f",infra.deploy={done.json['deploy_id']}")
        again = checkout.setup("--json").json
        assert (again["outcome"], again["changes"]) == ("nothing to do", [])
    checkout.settings("# no receiver\n")
    assert "telemetry: off" in checkout.run("finance_report.app.plan").err
    assert "off: telemetry/endpoint is not set" in checkout.run("doctor").out
