"""The settings file: read whole, refused whole, every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.errors import BadInput
from infra.workspace import settings_file

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings_file.load.cache_clear()


def load(folder: Path, text: str, local: str = "") -> object:
    (folder / "invoke.yaml").write_text(text, encoding="utf-8")
    if local:
        (folder / "invoke.local.yaml").write_text(local, encoding="utf-8")
    settings_file.load.cache_clear()
    return settings_file.load(folder)


def test_the_shipped_file_states_the_defaults(tmp_path: Path) -> None:
    assert settings_file.load(ROOT) == settings_file.load(tmp_path)


def test_all_faults_come_at_once_with_path_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        load(tmp_path, "default_env: production\nports:\n  router: 0\napp: {source: 3, sauce: 1}\n")
    assert raised.value.evidence == (
        "default_env: production is never the default: name it with --env production (invoke.yaml line 1)",
        "app/source: Input should be a valid string (invoke.yaml line 4)",
        "app/sauce: no such setting (invoke.yaml line 4)",
        "ports/router: Input should be greater than or equal to 1 (invoke.yaml line 3)",
    )


def test_a_variable_for_the_application_is_named_as_shells_name_theirs(tmp_path: Path) -> None:
    settings = load(tmp_path, "app: {environment: [FEATURE, feature_2, _x]}\n")
    assert settings.app.environment == ["FEATURE", "feature_2", "_x"]  # type: ignore[attr-defined]
    with pytest.raises(BadInput) as raised:
        load(tmp_path, "app:\n  environment: [A, A-B, 'A=1']\n")
    said = "the name of a variable is expected: letters, digits and _ (invoke.yaml line 2)"
    assert raised.value.evidence == (f"app/environment/1: {said}", f"app/environment/2: {said}")


def test_a_persons_own_file_wins_and_its_faults_name_it(tmp_path: Path) -> None:
    settings = load(tmp_path, "ports: {router: 3000, redis: 6379}\n", "ports: {router: 3005}\n")
    assert settings.ports == {"router": 3005, "redis": 6379}  # type: ignore[attr-defined]
    with pytest.raises(BadInput) as raised:
        load(tmp_path, "", "ports: {router: no}\n")
    assert "invoke.local.yaml line 1" in raised.value.evidence[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ports: {router: 1\n", "line 2"),
        ("- a\n- b\n", "a mapping of keys is expected"),
        ("app: {}\napp: {}\n", "written twice: app, invoke.yaml line 2"),
        ("a: !!python/object:os.system {}\n", "line 1"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load(tmp_path, text)


def test_invokes_own_keys_are_left_to_invoke(tmp_path: Path) -> None:
    assert load(tmp_path, "run: {echo: true}\ntasks: {}\n") == settings_file.load(tmp_path / "nowhere")
