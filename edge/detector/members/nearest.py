"""How far a window is from the three nearest of those remembered.

Source: Ramaswamy, Rastogi and Shim 2000, outliers by the distance to nearest neighbours.
"""

from edge.detector.members.member import Member

MEMORY = Member(
    "memory",
    "pattern",
    network=False,
    floor=0.7,
    span_rows=lambda window, _: float(window),
    parts=lambda rows: rows.from_nearest,
    value=lambda rows, _: rows.away,
)
