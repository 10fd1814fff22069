"""Reports: one file each that needs nothing beside it, and says what a reader must know."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edge.detector.bundle.calibration import calibration_from_dict
from edge.detector.bundle.files import Bundle
from edge.detector.score.runtime import load_model
from tests.helpers.small_bundle import START, normal_rows, shake, write_csv
from train.__main__ import main
from train.console.words import duration, number, percent, when
from train.evaluation.trace import trace
from train.read.data_report import DataReport
from train.read.dataset import Segment
from train.report.fit_tables import data_parts
from train.report.page import Fact, Section, page, table

LARGEST_BYTES = 2_000_000


class Checker(HTMLParser):
    """Whether tags close in the order in which they opened, and what text there is."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        del attrs

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(path: Path) -> Checker:
    """A report, checked for what every one must be: whole, small, and without anything from elsewhere."""
    html = path.read_text("utf-8")
    assert len(html.encode()) < LARGEST_BYTES
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"|url\((?!#)[^)]*\)|@import', html)
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return checker


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A labelled file with a fault at its end."""
    values, labels = shake(normal_rows(400, seed=30), slice(360, 400)), np.zeros(400, bool)
    labels[360:] = True
    return write_csv(tmp_path / "run.csv", values, labels)


def test_the_report_of_score_shows_signals_episodes_and_scores(small_bundle: Bundle, recording: Path) -> None:
    report, out = recording.with_name("report.html"), recording.with_name("scores.csv")

    status = main(["score", str(small_bundle.folder), str(recording), "--out", str(out), "--report", str(report)])

    found = read(report)
    assert status == 0
    for text in (
        "Scores of run",
        "Episodes over time",
        "A closer look",
        "pressure (V)",
        "channel blamed",
        "alarm level",
    ):
        assert text in found.text


def test_a_file_without_episodes_has_a_report_that_says_so(small_bundle: Bundle, tmp_path: Path) -> None:
    file, report = write_csv(tmp_path / "calm.csv", normal_rows(100, seed=31)), tmp_path / "report.html"

    main(["score", str(small_bundle.folder), str(file), "--out", str(tmp_path / "s.csv"), "--report", str(report)])

    assert "No episode" in read(report).text


def test_the_report_of_a_labelled_evaluation_shows_curves_and_baselines(small_bundle: Bundle, recording: Path) -> None:
    report = recording.with_name("report.html")

    main(["evaluate", str(small_bundle.folder), str(recording), "--label-column", "label", "--report", str(report)])

    found = read(report)
    for text in ("Confusion matrix", "Precision and recall", "ROC", "clock", "mean ± 3 sd", "1 of 1", "known anomaly"):
        assert text in found.text


def test_the_report_without_labels_shows_the_distribution(small_bundle: Bundle, recording: Path) -> None:
    report = recording.with_name("report.html")

    main(["evaluate", str(small_bundle.folder), str(recording), "--report", str(report)])

    found = read(report)
    assert "Distribution of the score" in found.text
    assert "Confusion" not in found.text


def test_labels_that_are_all_normal_leave_the_curves_out(small_bundle: Bundle, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "calm.csv", normal_rows(100, seed=32), np.zeros(100, bool))
    report = tmp_path / "report.html"

    main(["evaluate", str(small_bundle.folder), str(file), "--label-column", "label", "--report", str(report)])

    assert "ROC and precision-recall" not in read(report).text


def test_a_report_that_cannot_be_written_is_one_line(
    small_bundle: Bundle, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = recording.parent / "nowhere" / "report.html"

    assert main(["evaluate", str(small_bundle.folder), str(recording), "--report", str(target)]) == 2
    assert "cannot write the report" in capsys.readouterr().err


def test_reports_of_scores_need_no_tensorflow() -> None:
    code = "import sys, train.report, train.commands.score; assert not {'tensorflow', 'keras'} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_from_files_are_escaped() -> None:
    html = page("<b>", "a & b", [Fact("<i>", "1 < 2")], [Section("<u>", "x\n\ny", (table(["<s>"], [["<q>"]]),))])

    assert not re.search("<[biusq]>", html)
    assert "<p>x</p><p>y</p>" in html


def test_numbers_stand_to_the_right_and_dates_do_not() -> None:
    html = table(["n", "t"], [["1,204", "2020-03-09 10:14:33"], ["8.2 %", "-"]])

    assert html.count("class=number") == 3  # the head, and two cells
    assert "class=number" not in table(["name", "option"], [["flow", ""], ["speed", ""]])  # which would not wrap
    assert '<td role="cell" data-name="t">2020' in html


def test_a_trace_expects_what_the_network_says(small_bundle: Bundle) -> None:
    variant, model = load_model(small_bundle)
    assert variant.calibration is not None
    calibration = calibration_from_dict(variant.calibration, 3)
    values = normal_rows(200, seed=33)

    seen = trace(small_bundle, model, calibration, Segment(START + np.arange(200.0), values))

    assert seen.times[0] == START + 9
    assert len(seen.last(50).times) == 50
    inside = np.abs(seen.values - seen.expected) <= seen.tolerance
    assert inside.mean() > 0.98
    assert (seen.score < 1).all()


def test_the_data_table_tells_what_is_odd() -> None:
    odd = DataReport("a", 100, 90, 1, 2, 3, 4, 5, {"flow": 0.5}, ("level",), 1, 95, START, START + 94)

    html = "".join(data_parts([odd], "UTC"))

    for text in ("2023-11-14 22:13:20", "4 cells hold text", "flow 50.0%", "never changes: level"):
        assert text in html


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (percent(0.0823), "8.2 %"),
        (percent(None), "-"),
        (number(123456.0), "123456"),
        (number(0.12345), "0.123"),
        (duration(None), "-"),
        (duration(59.94), "59.9 s"),
        (duration(60), "1.0 min"),
        (duration(172800), "2.0 days"),
        (duration(-3600), "-1.0 h"),
        (when(12.5, "UTC"), "12.5 s"),
        (when(START, "Europe/Berlin"), "2023-11-14 23:13:20"),
    ],
)
def test_numbers_and_times_read_naturally(said: str, wanted: str) -> None:
    assert said == wanted


def test_fit_writes_a_report_beside_the_bundle_that_shows_all_a_user_should_check(tmp_path: Path) -> None:
    values = normal_rows(900, seed=40)
    values[300:310, 2] += 5.0
    file, out = write_csv(tmp_path / "normal.csv", values), tmp_path / "bundle"

    status = main(["fit", str(file), "--out", str(out), "--epochs", "2", "--window", "8", "--hidden", "4"])

    found = read(out / "report.html")
    assert status == 0
    for text in (
        "Model bundle",
        "900",
        "kept:",
        "expected, and its tolerance",
        "alarm level",
        "float32",
        "int8",
        "flow",
        "current",
    ):
        assert text in found.text
    assert "stands out far from the rest" in found.text
