"""What we ship asks 127.0.0.1, never a name that may mean ::1 first, where somebody else can listen."""

from __future__ import annotations

import re
from collections import Counter

from tasks.root import ROOT

SHIPPED = (
    *("README.md", "bench", "completion", "docs", "finance_report", "infra", "invoke.yaml"),
    *("reference_app", "tasks", "templates"),
)
TEXTS = {"", ".css", ".example", ".fish", ".html", ".js", ".json", ".md", ".py", ".sh", ".toml", ".yaml"}
NAMED = re.compile("localhost", re.IGNORECASE)
AS_ADDRESS = re.compile(r"[/@]localhost|localhost[:/]", re.IGNORECASE)  # prose may say why it is none
# How many lines of a file may say the name, and why nobody is asked by it.
MAY_SAY = {
    "infra/model/earlier.py": (1, "what an earlier version derived is known by it"),
    "infra/model/safety.py": (1, "a person's own address of this machine is on this machine"),
    "infra/model/variables.py": (1, "no proxy is used for it"),
    "infra/plan/lint/checks.py": (1, "a health check inside its own container may say it"),
    "infra/plan/routes.py": (1, "the router answers who asks by it"),
    "infra/plan/units.py": (1, "a bundle of before says it, and is rendered anew"),
    "infra/store/vault/address.py": (1, "a person's own address of a Vault"),
    "infra/targets/process/probes.py": (1, "a Host header"),
    "templates/entrypoint/boot.py": (1, "a Host header"),
    "reference_app/apps/backend/src/origin.py": (1, "who asks by it may"),
    "reference_app/apps/backend/tests/ownership.py": (1, "whose a test database is"),
    "reference_app/apps/backend/tests/test_addresses.py": (2, "who asks by it may"),
    "reference_app/apps/backend/tests/test_isolation.py": (1, "whose a test database is"),
    "reference_app/apps/backend/tests/test_settings.py": (2, "made-up addresses"),
}


def test_no_line_says_localhost_but_those_that_ask_nobody() -> None:
    files = [file for name in SHIPPED for file in [ROOT / name, *(ROOT / name).rglob("*")] if file.is_file()]
    texts = {file: file.read_text("utf-8", "replace") for file in files if file.suffix in TEXTS}
    assert len(texts) > len(SHIPPED)
    said = Counter(
        str(file.relative_to(ROOT))
        for file, text in texts.items()
        for line in text.splitlines()
        if (AS_ADDRESS if file.suffix == ".md" else NAMED).search(line)
    )
    assert said == {name: lines for name, (lines, _) in MAY_SAY.items()}
