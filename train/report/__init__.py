"""Reports: one HTML file each, plots inside, readable by someone who has not read the code."""

from train.report.evaluate_page import write_evaluate_report
from train.report.fit_page import write_report
from train.report.score_page import write_score_report

__all__ = ["write_evaluate_report", "write_report", "write_score_report"]
