"""How far a row is from the hyperplane of normal rows: Q, or SPE, of a principal component analysis.

Source: Jackson and Mudholkar 1979; Chiang, Russell and Braatz 2001, chapter 4.
"""

from edge.detector.members.member import Member

ROWS = 3
"""Time constant of the chart of what a row's relations leave over, rows."""

RELATION = Member(
    "relation",
    "relation",
    network=False,
    floor=0.05,
    span_rows=lambda _, __: 2.0 * ROWS,
    parts=lambda rows: rows.rest,
    value=lambda _, parts: parts.sum(axis=1),
)
