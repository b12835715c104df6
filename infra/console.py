"""The only place that prints. Progress goes to stderr, answers to stdout.

Every line is redacted, and stays one line: what a terminal would obey in a text of others is shown escaped.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infra.model.errors import InfraError
from infra.model.faults import as_error
from infra.model.visible import LINE, LINES, coloured, in_json, visible
from infra.streams import Stream

if TYPE_CHECKING:
    from infra.model.redaction import Redactor

HEARTBEAT = 10.0
WIDTH = 11
CELL = 72


class Stage:
    """One line of the runbook while it grows: `say` sets what stands beside its name."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self._began = self._spoke = time.monotonic()
        self.words = ""
        self.is_good = True

    @property
    def seconds(self) -> float:
        """The seconds since the stage began."""
        return time.monotonic() - self._began

    def say(self, words: str) -> None:
        """Set the words of the finished line."""
        self.words = words

    def wait(self, words: str) -> None:
        """Show what is waited for: live on a terminal, else a line every ten seconds."""
        if self._console.is_live:
            self._console.show(f"{self._name:<{WIDTH}} {self.seconds:5.1f} s  {words}")
        elif time.monotonic() - self._spoke >= HEARTBEAT:
            self._spoke = time.monotonic()
            self._console.line(f"{self._name:<{WIDTH}} {self.seconds:5.1f} s  … {words}")


class Console:
    """A person's terminal, or a program's pipe. `as_json` keeps stdout for exactly one object.

    What cannot be written is left out, so that no reader who goes away decides what a command does; with
    `is_listing` the answer is all there is, and ReaderGone ends it.
    """

    def __init__(self, redactor: Redactor, *, as_json: bool = False, is_listing: bool = False) -> None:
        self._redactor = redactor
        self.as_json = as_json
        self._out, self._err = Stream("stdout", ends=is_listing), Stream("stderr")
        self.is_live = self._err.isatty()
        self.timings: dict[str, float] = {}
        self._moving: Any = None

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line of progress."""
        self._write(self._err, text, style)

    def passage(self, text: str) -> None:
        """Print a piece of somebody else's output, with its own line ends and colours."""
        self._err.write(coloured(self._redactor.redact(text)))

    def answer(self, text: str) -> None:
        """Print a line that was asked for; a program that asked for JSON gets it on stderr."""
        self._write(self._answers, text)

    def text(self, text: str) -> None:
        """Print an answer of many lines."""
        self._put(self._answers, visible(self._redactor.redact(text), LINES))

    def log(self, name: str, lines: Sequence[str]) -> None:
        """Print lines of somebody's output, each behind a name; secrets of many lines are masked as well."""
        self.recall()
        for line in self._redactor.redact("\n".join(lines)).split("\n") if lines else ():
            self._put(self._answers, visible(f"{name} | {line}", LINE))

    def recall(self) -> None:
        """Mask also what the store keeps of older versions; what cannot be read of them is said, once."""
        try:
            self._redactor.recall()
        except Exception as error:  # noqa: BLE001  # what is about to be told is told all the same
            self.line(
                f"! values of older versions cannot be read, and are not masked: {as_error(error).message}"
            )

    def object(self, value: Mapping[str, Any]) -> bool:
        """Print the one JSON object, and tell whether its reader got it whole."""
        text = json.dumps(value, ensure_ascii=False)
        self._out.write(in_json(self._redactor.redact(text)) + "\n")
        return self._out.fault is None

    def error(self, error: InfraError) -> None:
        """Print what went wrong, its evidence, and the next thing to type."""
        if error.evidence:
            self.recall()
        self.line(f"✗ {error.message}", "bold red")
        for line in error.evidence:
            self.line(f"    {line}", "dim")
        if error.next_step:
            self.line(f"→ {error.next_step}", "bold")

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows in columns as wide as they need to be; long cells are cut, JSON has them whole."""
        rows = [[_cut(visible(self._redactor.redact(cell), LINE)) for cell in row] for row in rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
        for row in rows:
            cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            self.answer("  ".join(cells).rstrip())

    def diff(self, lines: Sequence[str]) -> None:
        """Print the lines of a unified diff, coloured on a terminal."""
        styles = {"+": "green", "-": "red", "@": "cyan"}
        for line in lines:
            self.line(line, styles.get(line[:1], ""))

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a stage of the runbook and print its line at the end, good or bad."""
        stage = Stage(self, name)
        try:
            yield stage
        except BaseException:
            stage.is_good = False
            raise
        finally:
            self.timings[name] = round(self.timings.get(name, 0) + stage.seconds, 3)
            mark, style = ("✓", "green") if stage.is_good else ("✗", "red")
            self.show("")
            self.line(f"{mark} {name:<{WIDTH}} {stage.seconds:6.2f} s  {stage.words}".rstrip(), style)

    def show(self, text: str) -> None:
        """Show a moving line on a terminal, or take it away with an empty text; elsewhere nothing happens."""
        if self.is_live and text and self._moving is None:
            self._moving = _rich(self._err).status("")
            self._moving.start()
        if self._moving is not None and text:
            width = shutil.get_terminal_size().columns - 4
            self._moving.update(_rich_text(visible(self._redactor.redact(text))[:width]))
        elif self._moving is not None:
            self._moving.stop()
            self._moving = None

    @property
    def _answers(self) -> Stream:
        return self._err if self.as_json else self._out

    def _write(self, stream: Stream, text: str, style: str = "") -> None:
        self._put(stream, visible(self._redactor.redact(text), LINE), style)

    def _put(self, stream: Stream, clean: str, style: str = "") -> None:
        if style and stream.isatty():
            _rich(stream).print(_rich_text(clean, style), soft_wrap=True)
        else:
            stream.write(clean + "\n")


def _cut(cell: str) -> str:
    return cell if len(cell) <= CELL else f"{cell[: CELL - 1]}…"


def _rich(stream: Stream) -> Any:
    from rich.console import Console as RichConsole

    return RichConsole(file=stream)  # type: ignore[arg-type]  # it has all that rich asks of a file


def _rich_text(clean: str, style: str = "") -> Any:
    """Give a text in which rich looks for no markup, no emoji and no numbers of its own."""
    from rich.text import Text

    return Text(clean, style=style)
