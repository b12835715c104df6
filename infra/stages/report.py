"""Report: a deploy's start, verdict and end, told to the telemetry receiver for each of its services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from infra.model.unit import DEPLOY_ATTRIBUTE
from infra.model.verdict import Verdict
from infra.plan import telemetry
from infra.session import Session
from infra.stages.apply import Attempt


class Report:
    """What is told of one attempt while it goes on; nothing where telemetry is off."""

    def __init__(self, session: Session, attempt: Attempt) -> None:
        self._session, self._attempt = session, attempt
        self._seen = Verdict(ok=False)

    def start(self) -> None:
        """Tell that the attempt begins."""
        count = len(self._attempt.picture.plan.operations)
        self._tell("deploy.start", f"{count} operations, by {self._session.actor}")

    def verdict(self, verdict: Verdict) -> Verdict:
        """Tell this verdict, and give it back."""
        self._seen = verdict
        self._tell("deploy.verdict", verdict.cause or "all checks passed", "ok" if verdict.ok else "failed")
        return verdict

    def end(self, outcome: str = "") -> None:
        """Tell how the attempt ended, and wait for what is still on its way, 2 s in all for one command."""
        outcome = outcome or ("ok" if self._seen.ok else self._session.outcome.outcome)
        self._tell("deploy.end", outcome.replace("_", " "), outcome)
        self._session.outbox.flush()
        self._complain()

    def _tell(self, name: str, message: str, verdict: str = "") -> None:
        endpoint = self._session.settings.telemetry.endpoint
        if endpoint:
            event = self._event(name, message, verdict)
            if event.is_bad:
                self._session.console.recall()
            text = json.dumps(telemetry.request(event, self._resources()))
            self._session.outbox.put(telemetry.logs_url(endpoint), self._session.keys.redactor.redact(text))
            self._complain()

    def _event(self, name: str, message: str, verdict: str) -> telemetry.Event:
        at = self._session.now().timestamp()
        facts: dict[str, str | float] = {}
        if verdict:
            facts = {
                "deploy.verdict": verdict,
                "deploy.category": self._seen.category,
                "deploy.duration_s": round(at - self._attempt.began, 3),
            }
        return telemetry.Event(name, int(at * 1e9), message, facts, is_bad=verdict not in {"", "ok"})

    def _resources(self) -> Iterator[dict[str, str]]:
        """Give what the event is told of: each service, in the version that history shows of it."""
        session, bundles = self._session, self._attempt.picture.wanted.bundles
        for name in self._attempt.services:
            yield {
                "service.name": telemetry.service_name(session.project.name, "deploy"),
                "service.version": (bundles[name].release or bundles[name].digest)[:12],
                "deployment.environment": session.environment.tag,
                DEPLOY_ATTRIBUTE: self._attempt.deploy,
                "infra.service": name,
            }

    def _complain(self) -> None:
        why = self._session.outbox.complaint()
        if why:
            host = urlsplit(self._session.settings.telemetry.endpoint or "").netloc
            self._session.console.line(f"telemetry: {host} did not take a record: {why}")


def telemetry_filter(session: Session, attempt: Attempt) -> tuple[str, ...]:
    """Give the line that finds this attempt's records in the telemetry store; none where telemetry is off."""
    if not session.settings.telemetry.endpoint:
        return ()
    return (f"telemetry: {telemetry.filter_text(session.environment, session.project, attempt.deploy)}",)


@contextmanager
def reported(session: Session, attempt: Attempt) -> Iterator[Report]:
    """Tell that an attempt starts and, when the body ends, how; no receiver fails or delays it for long."""
    report = Report(session, attempt)
    report.start()
    try:
        yield report
    except Exception:
        report.end("failed")
        raise
    except BaseException:
        report.end("interrupted")
        raise
    report.end()
