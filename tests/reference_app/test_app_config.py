"""Settings come from the environment; what is wrong is named, and no value is shown."""

from __future__ import annotations

import re

import pytest

from tests.reference_app.running import BACKEND, Backend

pytestmark = pytest.mark.real

HIDDEN = "hidden-word"
FAULTS = [
    ({"DATABASE_URL": ""}, ["DATABASE_URL is not set"]),
    ({"REDIS_URL": "", "GIT_COMMIT_SHA": ""}, ["REDIS_URL is not set", "GIT_COMMIT_SHA is not set"]),
    ({"ENV": HIDDEN}, ["ENV: Input should be 'development'"]),
    ({"GIT_COMMIT_SHA": HIDDEN}, ["GIT_COMMIT_SHA: String should match pattern"]),
    ({"DATABASE_URL": f"mysql://{HIDDEN}"}, ["DATABASE_URL: must start with postgresql+asyncpg://"]),
    ({"REDIS_URL": f"http://{HIDDEN}"}, ["REDIS_URL: must start with redis:// or rediss://"]),
    (
        {"S3_ENDPOINT": f"https://{HIDDEN}", "S3_SECRET_KEY": HIDDEN},
        ["S3_ENDPOINT is set, S3_ACCESS_KEY and S3_BUCKET must be set too"],
    ),
]


@pytest.mark.parametrize(("changed", "said"), FAULTS)
def test_a_bad_setting_stops_the_start_with_its_name_and_without_any_value(
    backend: Backend, changed: dict[str, str], said: list[str]
) -> None:
    with backend.started(variables=changed, is_up=False) as app:
        assert app.process.wait(20) != 0
    log = backend.log.read_text()
    assert [words for words in said if words not in log] == []
    shown = [HIDDEN, *(value for name, value in backend.environment.items() if name.endswith("_URL"))]
    assert [value for value in shown if value in log] == []
    assert "Traceback" not in log


def test_every_setting_is_in_the_example_and_the_example_has_nothing_else() -> None:
    example = (BACKEND.parents[1] / ".env.example").read_text()
    config = (BACKEND / "src" / "config.py").read_text()
    documented = set(re.findall(r"^#? ?(?!NEXT_PUBLIC_)(\w+)=", example, re.MULTILINE))
    assert documented == set(re.findall(r'alias="(\w+)"', config))


PRINTED = """
import os
from src.config import Settings
settings = Settings.read(os.environ)
print(settings, repr(settings), settings.model_dump_json())
"""


def test_settings_mask_secrets_in_their_text_forms(backend: Backend) -> None:
    printed = backend.python("-c", PRINTED).stdout
    assert "v1.2.3" in printed
    assert "redis:" not in printed
    assert "postgresql" not in printed


# Request, credentials and signature are the example "GET Bucket Lifecycle" of the Amazon S3 API reference.
SIGNATURE = """
from datetime import UTC, datetime
from src.remote import signed
keys = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
host = "examplebucket.s3.amazonaws.com"
print(signed("GET", host, "/", keys, datetime(2013, 5, 24, tzinfo=UTC), query="lifecycle=")["Authorization"])
"""


def test_requests_to_the_object_store_are_signed_as_amazon_signs_its_example(backend: Backend) -> None:
    signed = backend.python("-c", SIGNATURE).stdout.strip()
    assert signed.endswith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
