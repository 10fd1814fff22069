"""A bill of materials in CycloneDX: what is in a site-packages folder, as `pip freeze --path` names it."""

import json
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL


def bill(site: Path, name: str, version: str) -> str:
    """The bill of what is installed in `site`, as JSON; `name` is the artefact that holds it."""
    bom = Bom()
    bom.metadata.component = Component(type=ComponentType.APPLICATION, name=name, version=version, bom_ref=name)
    parts = sorted((_component(one) for one in distributions(path=[str(site)])), key=lambda part: part.name)
    for part in parts:
        bom.components.add(part)
        bom.dependencies.add(Dependency(part.bom_ref))
    bom.dependencies.add(Dependency(bom.metadata.component.bom_ref, [Dependency(part.bom_ref) for part in parts]))
    return JsonV1Dot5(bom).output_as_string(indent=1)


def _component(part: Distribution) -> Component:
    name, version = part.metadata["Name"], part.version
    url = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
    licence = part.metadata.get("License-Expression") or part.metadata.get("License") or "not stated"
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=url,
        bom_ref=str(url),
        description=f"licence as its author words it: {licence.splitlines()[0][:80]}",
    )


def listed(text: str) -> set[str]:
    """`name==version` of each component of a bill."""
    body: dict[str, Any] = json.loads(text)
    return {f"{part['name']}=={part['version']}" for part in body.get("components", [])}
