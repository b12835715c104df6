"""The smoke test as a command: production is only read, whatever a person calls the address."""

from __future__ import annotations

import os

import pytest

import finance_report
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import Refused
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from infra.smoke import Wishes, smoke
from tasks.root import ROOT


@pytest.mark.parametrize("url", ["https://report.example.test", "https://REPORT.example.test.:8443/"])
def test_a_wish_to_write_under_the_address_of_production_is_refused(url: str) -> None:
    redactor = Redactor()
    variables = {name: text for name, text in os.environ.items() if name != "BASE_URL"}
    this = Command(Outcome("smoke", ""), Console(redactor), redactor, ROOT, variables)
    with pytest.raises(Refused, match="only reads"):
        smoke(this, finance_report.PROJECT, "local", "", Wishes(base_url=url, mode="write"))
