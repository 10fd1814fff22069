"""Image and compose project, as far as they can be judged without podman: closed, each service with its own secrets."""

import importlib.util
import os
import stat
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from release.image import DEPLOY, image_config
from release.platforms import IMAGE_EXTRAS, PLATFORMS, requirements
from release.wheels import ReleaseError
from tests.helpers.documents import ROOT

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare", DEPLOY / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def prepared(tmp_path, monkeypatch) -> Path:
    """What `prepare` writes; ownership is left out, which only root can give."""
    monkeypatch.setattr(os, "chown", lambda *_: None)
    (tmp_path / "data/broker").mkdir(parents=True)
    assert loaded().prepare(tmp_path, DEPLOY / "agent.toml") == 0
    return tmp_path


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_more_than_it_needs(name):
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name == "prepare" or service.get("user") != "0:0"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_is_there_and_secrets_are_its_own(name):
    mounted = [volume.split(":")[0] for volume in SERVICES[name]["volumes"]]

    assert all((DEPLOY / one).exists() for one in mounted if one.startswith("./"))
    assert {one for one in mounted if not one.startswith("./")} <= set(COMPOSE["volumes"])
    assert name == "prepare" or len([one for one in mounted if one.startswith("secrets-")]) <= 1


def test_the_projects_config_loads(prepared):
    settings = loaded().loaded(DEPLOY / "agent.toml", prepared / "secrets")

    assert settings.broker.host in SERVICES
    assert settings.prometheus.port == 9469


def test_passwords_are_private_and_stay_when_it_runs_again(prepared):
    files = [file for file in (prepared / "secrets").rglob("*") if file.is_file()]
    before = {file: file.read_text() for file in files if file.parent.name == "people"}

    assert loaded().prepare(prepared, DEPLOY / "agent.toml") == 0

    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o400}
    assert {file: file.read_text() for file in before} == before
    assert {file.name for file in before} == {"gw-1", "board-pump1", "viewer", "operator", "health", "page"}
    assert len(set(before.values())) == len(before)


def test_the_images_config_is_the_example_with_its_own_places():
    body = tomllib.loads(image_config((ROOT / "agent.example.toml").read_text("utf-8")))

    assert body["prometheus"]["port"] == 9469
    assert body["stream"][0]["bundle"] == "/opt/offbeat/share/offbeat/models/pump"


def test_an_example_without_those_lines_is_refused():
    with pytest.raises(ReleaseError, match=r"agent\.example\.toml"):
        image_config("[device]\n")


@pytest.mark.parametrize("target", PLATFORMS, ids=lambda one: one.machine)
def test_an_image_brings_what_a_config_may_ask_for_where_there_are_wheels(target):
    names = {one.name for one in requirements(target, "3.11", extras=IMAGE_EXTRAS)}

    assert {"starlette", "prometheus-client", "pymodbus"} <= names
    assert not names & {*target.from_system, *target.not_in_image}
