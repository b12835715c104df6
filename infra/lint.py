"""The lint as a command: which texts, what is wrong with them, and what the compose program says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import Wishes, chosen_environment
from infra.model.errors import BadInput, CannotTell, KnownBad
from infra.model.finding import Finding
from infra.model.yaml_bounds import MOST
from infra.paper import EVERY, Paper, papers
from infra.plan.lint import RULES, lint
from infra.plan.lint.document import read
from infra.plan.lint.sent import Sent
from infra.targets import compose_cli

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

WORKERS = 4
PROGRAM = "compose"


@dataclass(frozen=True, slots=True)
class Texts:
    """Which texts are linted: those of one environment or of all, of one service or all, or a given file."""

    wishes: Wishes
    every: bool = False
    service: str = ""
    file: str = ""


def compose(this: Command, project: Project, texts: Texts) -> None:
    """Print what is found; KnownBad for a broken rule, CannotTell for a digest that nobody knows."""
    sent = _sent(this, project, texts)
    findings = [finding for one in sent for finding in lint(one)] + _of_program(this, sent)
    for finding in findings:
        this.console.answer(str(finding))
    this.outcome.facts |= {
        "files": [one.file for one in sent],
        "findings": [asdict(finding) for finding in findings],
        "rules": {rule.id: rule.demands for rule in RULES},
    }
    _conclude(this, sent, findings)


def sent_of(project: Project, paper: Paper, text: str, file: str) -> Sent:
    """Give a text as the lint looks at it, with what it has to know of its place."""
    return Sent(
        file=file,
        text=text,
        env=paper.env_text,
        environment=paper.environment,
        project=project.name,
        service=paper.service,
        ingress=paper.ingress,
        data_root=paper.data_root,
        from_source=paper.from_source,
        routed=tuple(_routed(project, paper)),
        secrets_folder=paper.secrets_folder,
    )


def _conclude(this: Command, sent: Sequence[Sent], findings: Sequence[Finding]) -> None:
    broken = list(dict.fromkeys(finding.rule for finding in findings if not finding.is_unknown))
    where = (
        f"--env {sent[0].environment.name}" if len({one.environment.name for one in sent}) == 1 else "--all"
    )
    if broken:
        count = sum(not finding.is_unknown for finding in findings)
        raise KnownBad(
            f"{_count(count, 'finding')} in {_count(len(sent), 'file')}: {', '.join(broken)}",
            next_step=f"mend it, then ./inv lint.compose {where}",
        )
    if findings:
        raise CannotTell(
            f"{_count(len(findings), 'image')} without a digest: nobody named a release",
            next_step=f"./inv lint.compose {where} --release release.json",
        )
    this.console.line(f"{_count(len(sent), 'file')}: every rule is kept", "green")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _sent(this: Command, project: Project, texts: Texts) -> list[Sent]:
    """Give what would be sent; BadInput for wishes that do not go together."""
    if texts.every and (texts.wishes.env or texts.file):
        raise BadInput("--all means every environment as rendered", next_step="./inv lint.compose --all")
    found = "" if texts.every else chosen_environment(this, texts.wishes.env).name
    services = (_known(project, texts),) if texts.service or texts.file else ()
    sheets = papers(this, project, EVERY if texts.every else (found,), services, texts.wishes)
    if not sheets:
        raise BadInput(
            f"{texts.service} is not deployed in {found}",
            next_step=f"./inv lint.compose --env {found}",
        )
    if texts.file:
        return [sent_of(project, sheets[0], _read(this, texts.file), texts.file)]
    return [
        sent_of(project, one, one.text, f"{one.environment.name}/{one.service}/compose.yaml")
        for one in sheets
    ]


def _known(project: Project, texts: Texts) -> str:
    names = [service.name for service in project.services]
    if texts.service in names:
        return texts.service
    words = f"{texts.service!r} is no service" if texts.service else "--file needs --service"
    raise BadInput(
        f"{words}; there are {', '.join(names)}",
        next_step=f"./inv lint.compose {f'--file {texts.file} ' if texts.file else ''}--service {names[0]}",
    )


def _read(this: Command, name: str) -> str:
    file = Path(this.variables.get("INV_CWD", ".")) / name
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(MOST + 1)  # the lint refuses what is longer
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"--file {name}: {error}", next_step="name a compose file: --file compose.yaml"
        ) from error


def _routed(project: Project, paper: Paper) -> Iterator[str]:
    """Give the parts that the router reaches; where the router is ours, it is one of them."""
    yield from dict.fromkeys(route.part for route in project.routes)
    if not paper.environment.is_deployed:
        routers = (service for service in project.services if service.only_with == "router")
        yield from (part.name for service in routers for part in service.parts)


def _of_program(this: Command, sent: Sequence[Sent]) -> list[Finding]:
    """Give what the real compose program has against the texts; without one it is said that nobody asked.

    It gets no text that is none for us, or too much: it would write out whatever aliases repeat.
    """
    program = compose_cli.find(this.variables)
    this.outcome.facts[PROGRAM] = program.version if program else "not on PATH"
    if program is None:
        this.console.line("no compose program 2.23.1 or newer is on PATH: it was not asked")
        return []
    sent = [one for one in sent if not read(one).unreadable]
    with ThreadPoolExecutor(WORKERS) as pool:
        faults = list(pool.map(program.fault, [one.text for one in sent]))
    fix = f"mend it until docker compose config takes it ({program.version})"
    pairs = zip(sent, faults, strict=True)
    return [Finding(PROGRAM, one.file, "", " ".join(fault.split()), fix) for one, fault in pairs if fault]
