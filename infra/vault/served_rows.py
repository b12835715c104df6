"""The rows of the audit that a Vault and its agents answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from infra.model.age import DOUBT, age, in_words
from infra.model.credential import moment
from infra.model.errors import Denied
from infra.model.service import Service
from infra.plan.agent_log import errors_since, window
from infra.plan.agent_process import unit_name
from infra.plan.audit_rows import UNBLANKED_AT_MOST, Row, State
from infra.plan.credentials import differences, words
from infra.plan.units import bundle_of
from infra.session import Session
from infra.targets.process import credentials
from infra.vault.desk import Desk

HOUR = 3600.0
RESTARTS_AT_MOST = 3
LOG_LINES = 5000


class ServerRows:
    """The rows that the server alone answers. Each read may raise what it says."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._services = tuple(one for one in desk.services if one.secrets)
        self._custody = desk.custody
        self._renew = desk.commands.setup_tokens

    def policies(self) -> Iterator[Row]:
        """Row 1: a policy's text or a role's settings differ, or failed logins lock roles."""
        for service in self._services:
            wanted = self._custody.declared(service.name)
            found = self._custody.approle.role(wanted.name)
            faults = [] if found else ["there is no role"]
            faults += [f"{name} differs" for name in differences(wanted.settings, found or wanted.settings)]
            if self._custody.approle.policy(wanted.name) != wanted.policy:
                faults.append("the policy's text differs")
            if faults:
                yield Row(1, service.name, "fail", "; ".join(faults), self._renew)
            else:
                yield Row(1, service.name, "ok", f"{wanted.name}, as declared")
        yield from self._extra_policies()
        yield self._lockout()

    def _extra_policies(self) -> Iterator[Row]:
        """Give a row where a policy of this environment is declared by nothing; only admins may list."""
        roles = {self._custody.role(one.name) for one in self._services}
        beginning = self._custody.role(self._services[0].name).removesuffix(self._services[0].name)
        try:
            answer = self._custody.client.call("LIST", "sys/policies/acl")
        except Denied:
            yield Row(1, "", "skipped", "extra policies: your token may not list them, an admin's may")
            return
        named = {str(name) for name in answer.data.get("keys", ()) if str(name).startswith(beginning)}
        extra = sorted(named - roles - {self._custody.deployer()[0]})
        if extra:
            command = f"vault policy delete {extra[0]}"
            yield Row(1, "", "fail", f"nothing declares {', '.join(extra)}", command)

    def _lockout(self) -> Row:
        try:
            is_off = self._custody.approle.is_lockout_off()
        except Denied:
            return Row(1, "", "skipped", "lockout: your token may not read it, an admin's may")
        if is_off:
            return Row(1, "", "ok", "failed logins lock no role")
        return Row(1, "", "fail", "failed logins lock a role for 15 min", self._renew)

    def accessors(self) -> Iterator[Row]:
        """Row 2: a role has no credential, more than one, or one that ends within seven days."""
        now = self._custody.now()
        for service in self._services:
            listed = self._custody.approle.accessors(self._custody.role(service.name)) or ()
            live = [one for one in self._custody.credentials(service.name, listed) if not one.is_expired(now)]
            if len(live) != 1:
                yield Row(2, service.name, "fail", f"{len(live)} live credentials, not one", self._renew)
                continue
            state: State = "fail" if live[0].is_short(now) else "ok"
            yield Row(2, service.name, state, f"{words(live[0].left(now))} left", self._renew)

    def audit(self) -> Iterator[Row]:
        """Row 11: no audit device, or one that writes values in clear."""
        devices = self._custody.server.audit_devices()
        raw = [one.name for one in devices if one.is_raw]
        if not devices:
            yield Row(11, "", "fail", "none is enabled", "./inv vault.audit-enable")
        elif raw:
            yield Row(11, "", "fail", f"values in clear: {', '.join(raw)}", "vault audit disable " + raw[0])
        else:
            yield Row(11, "", "ok", ", ".join(f"{one.kind} {one.path}" for one in devices))


class AgentRows:
    """The rows that agents on this machine answer."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._services = tuple(one for one in session.services if one.secrets)
        self._renew = session.commands.setup_tokens

    def agents(self) -> Iterator[Row]:
        """Row 6: an agent does not run, is unhealthy, or was restarted often and lately."""
        states = self._session.target.states()
        for service in self._services:
            yield self._agent(service, states.get(unit_name(service.name), {}))

    def _agent(self, service: Service, state: dict[str, object]) -> Row:
        command = self._session.say(f"{service.name}.setup --force")
        name = unit_name(service.name)
        unit = next(one for one in bundle_of(service, self._session.scene({})).units if one.name == name)
        running = self._session.target.observe_units([unit]).running(name)
        if running is None:
            return Row(6, service.name, "fail", "does not run", command)
        if state.get("state") != "ready":
            return Row(6, service.name, "fail", f"{state.get('state')}: {state.get('why')}", command)
        exits, lived = int(str(state.get("exits", 0))), time.time() - running.started
        if exits > RESTARTS_AT_MOST and lived < HOUR:
            return Row(6, service.name, "fail", f"ended {exits} times, last start {lived:.0f} s ago", command)
        return Row(6, service.name, "ok", "healthy")

    def logs(self) -> Iterator[Row]:
        """Row 7: an agent logged an error that a person has to mend, in the last hour."""
        since = window(self._session.now())
        for service in self._services:
            lines = self._session.target.log(unit_name(service.name), LOG_LINES)
            found = errors_since(lines, since)
            command = self._session.say(f"{service.name}.logs")
            yield Row(7, service.name, "fail" if found else "ok", ", ".join(found) or "no error", command)

    def heartbeats(self) -> Iterator[Row]:
        """Row 8: an agent has no heartbeat; an old one is a warning."""
        for service in self._services:
            beat = credentials.heartbeat(self._session.places, service.name)
            at = moment(beat.time) if beat else None
            if beat is None or at is None:
                yield Row(8, service.name, "fail", "there is none", self._renew)
                continue
            yield Row(8, service.name, "ok", self._since(at) or f"of {beat.time}, names {beat.accessor}")

    def _since(self, beat: datetime) -> str:
        """Give the warning for a heartbeat that is old, or in doubt; empty for a fresh one."""
        seconds = age(beat, self._session.now())
        if seconds is None:
            return f"warning: {DOUBT}"
        late = f"warning: {in_words(seconds)} old, the agent may have stopped → {self._renew}"
        return late if seconds > HOUR else ""

    def deliveries(self) -> Iterator[Row]:
        """Row 12: a wrapped token still lies where it was delivered long ago."""
        for service in self._services:
            found = credentials.delivered(self._session.places, service.name)
            if found is None:
                yield Row(12, service.name, "fail", "nothing was delivered", self._renew)
            elif not found.wrapped.reveal():
                yield Row(12, service.name, "ok", "the wrapped token is blank")
            else:
                written = datetime.fromtimestamp(found.written, UTC)
                seconds = age(written, self._session.now())
                state: State = "fail" if seconds is None or seconds > UNBLANKED_AT_MOST else "ok"
                detail = f"a wrapped token lies there: {in_words(seconds)}"
                yield Row(12, service.name, state, detail, self._renew)
