"""What the linters of Dockerfile and compose file do not see."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from devkit.credentials import KEY_FILES, LOGINS
from devkit.places import ROOT

COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "infra" / "compose.yaml")
DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
SERVICES = sorted(COMPOSE["services"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_guarded(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "healthcheck" in service or name == "api"  # the API's is the image's
    assert service.get("user", "10001") != "root"


def test_each_container_gets_only_its_own_secrets() -> None:
    secrets = {name: set(COMPOSE["services"][name]["secrets"]) for name in SERVICES}

    assert "migrator.password" not in secrets["api"] | secrets["worker"]
    assert secrets["migrate"] == {"migrator.password"}
    assert not secrets["postgres"] & set(KEY_FILES)
    assert secrets["sealer"] == {"sealer.password", "checkpoint.keys"}
    assert not any("checkpoint.keys" in given for name, given in secrets.items() if name != "sealer")
    assert "postgres.password" not in secrets["api"] | secrets["worker"] | secrets["migrate"]
    production = {f"{login}.password" for login in LOGINS if login != "demo"}
    assert set().union(*secrets.values()) == production | {"postgres.password"} | set(KEY_FILES)


def test_database_is_not_published() -> None:
    published = {name: service.get("ports", []) for name, service in COMPOSE["services"].items()}

    assert published == {"api": ["127.0.0.1:8000:8000"], "migrate": [], "postgres": [], "sealer": [], "worker": []}
    assert COMPOSE["networks"]["database"]["internal"] is True


def test_image_is_of_hashed_packages_and_no_root() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert DOCKERFILE.rindex("USER 10001:10001") > DOCKERFILE.rindex("FROM ")
    assert "/livez" in DOCKERFILE
