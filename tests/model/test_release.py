"""A release that somebody describes in a file."""

from __future__ import annotations

from typing import Any

import pytest

from infra.model.errors import BadInput
from infra.model.release import UNRESOLVED, Release, release_from_json

DIGEST = f"sha256:{'a' * 64}"
GOOD: dict[str, Any] = {
    "version": "v1.2.3",
    "commit": "c" * 40,
    "images": {"backend": f"ghcr.io/acme/backend@{DIGEST}"},
}


def test_a_release_gives_images_by_digest_and_nobody_invents_one() -> None:
    release = release_from_json(GOOD, "release.json")
    assert release.image("backend", "x").reference == f"ghcr.io/acme/backend@{DIGEST}"
    assert (
        release.image("frontend", "ghcr.io/acme/frontend").reference == f"ghcr.io/acme/frontend@{UNRESOLVED}"
    )
    assert not release.image("frontend", "x").is_resolved
    assert (release.is_known, Release().is_known) == (True, False)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"version": "1.2.3"}, "version"),
        ({"version": "v1.02.3"}, "version"),
        ({"version": "latest"}, "version"),
        ({"commit": "abc1234"}, "commit"),
        ({"commit": None}, "commit"),
        ({"infra_commit": "main"}, "infra_commit"),
        ({"images": {}}, "images"),
        ({"images": ["backend"]}, "images"),
        ({"images": {"backend": "ghcr.io/acme/backend:v1.2.3"}}, "images/backend"),
        ({"images": {"backend": f"ghcr.io/acme/backend:latest@{DIGEST[:-1]}"}}, "images/backend"),
        ({"images": {"backend": f"$(id)@{DIGEST}"}}, "images/backend"),
        ({"image": "x"}, "image"),
    ],
)
def test_a_fault_is_told_by_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInput, match=rf"release\.json: {place}: "):
        release_from_json({**GOOD, **change}, "release.json")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        release_from_json({"version": "x", "commit": "y"}, "release.json")
    assert len(caught.value.evidence) == 3


@pytest.mark.parametrize("value", [None, [], "v1.2.3", 3])
def test_what_is_no_object_is_no_release(value: object) -> None:
    with pytest.raises(BadInput, match="a JSON object is expected"):
        release_from_json(value, "release.json")
