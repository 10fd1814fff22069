"""Reports in a real browser, both schemes: nothing wider than a phone, nothing from elsewhere, no axe-core finding."""

from pathlib import Path

import pytest

from tests.integrations.page.visiting import SIZES, assert_sound, visit
from tests.integrations.reports.made import MADE

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MADE[request.param](tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("report", MADE, indirect=True)
def test_a_report_is_sound(report: Path, tmp_path: Path, scheme: str, size: str) -> None:
    found = visit(tmp_path, report.as_uri(), scheme=scheme, size=size)

    assert_sound(found)
    assert "flow" in found["text"]
