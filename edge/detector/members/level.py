"""How far a channel is from its baseline.

Source: Roberts 1959, the EWMA chart.
"""

import numpy as np

from edge.detector.members.member import Member

LEVEL = Member(
    "level",
    "level",
    network=False,
    floor=0.2,
    span_rows=lambda window, tuning: 2 * tuning.level_windows * window,
    parts=lambda rows: np.abs(rows.level),
    squared=False,
)
