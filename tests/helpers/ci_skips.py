"""With CI=true nothing skips in silence: only tests marked `data` may, every other skip is a failure."""

import os
from collections.abc import Generator

import pytest

_REMEDY = "with CI=true only tests marked `data` may skip; let .ci/run install what is missing"


def forbidden(marked_data: bool) -> bool:
    """Whether a skip must count as a failure."""
    return os.environ.get("CI") == "true" and not marked_data


def failed(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that still says why it wanted to skip."""
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: {why}; {_REMEDY}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips, or a fixture for it."""
    report = yield
    # An expected failure reports itself as skipped, too; it did run.
    if report.skipped and not hasattr(report, "wasxfail") and forbidden(item.get_closest_marker("data") is not None):
        failed(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole module that skips; marks are not known yet, so a module of `data` tests must not do it either."""
    report = yield
    if report.skipped and forbidden(marked_data=False):
        failed(report)
    return report
