"""Where a test run may make and remove buckets: on this machine, or in the services of its job."""

from __future__ import annotations

import pytest

from infra.model.errors import BadInput, Refused
from infra.testing.servers import Servers


def job(endpoint: str) -> Servers:
    return Servers("job", "role", None, {"S3_ENDPOINT": endpoint, "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"})


@pytest.mark.parametrize("endpoint", ["http://localhost:9000", "http://127.0.0.1:9000", "http://minio:9000"])
def test_a_store_of_this_machine_or_of_the_job_is_used(endpoint: str) -> None:
    assert job(endpoint).object_store().endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://s3.example.test",
        "http://minio.example.test",
        "http://localhost.example.test",
        "http://minio2",
    ],
)
def test_a_store_elsewhere_is_refused_before_any_bucket_is_touched(endpoint: str) -> None:
    with pytest.raises(Refused, match="no bucket was touched"):
        job(endpoint).object_store()


def test_a_job_without_a_store_is_told_how_to_get_one() -> None:
    with pytest.raises(BadInput, match="none is set"):
        job("").object_store()
