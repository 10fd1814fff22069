"""The rule of `ci_skips`, tried on small test suites of their own."""

import pytest

pytest_plugins = ["pytester"]

_SUITE = """
import pytest

def test_missing_part():
    pytest.skip("no broker")

@pytest.mark.data
def test_recordings():
    pytest.skip("no recordings")

@pytest.mark.xfail
def test_known_to_fail():
    assert False
"""


def _run(pytester: pytest.Pytester, suite: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\nmarkers = data: may skip")
    pytester.makepyfile(suite)
    return pytester.runpytest("-p", "tests.helpers.ci_skips", "-p", "no:cacheprovider")


def test_on_ci_a_skip_fails_unless_it_waits_for_data(pytester, monkeypatch):
    monkeypatch.setenv("CI", "true")

    result = _run(pytester, _SUITE)

    result.assert_outcomes(failed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*no broker; with CI=true only tests marked `data` may skip*"])


def test_elsewhere_skips_are_skips(pytester, monkeypatch):
    monkeypatch.delenv("CI", raising=False)

    _run(pytester, _SUITE).assert_outcomes(skipped=2, xfailed=1)


def test_on_ci_a_module_that_skips_itself_fails(pytester, monkeypatch):
    monkeypatch.setenv("CI", "true")

    _run(pytester, "import pytest\npytest.importorskip('no_such_module')").assert_outcomes(errors=1)
