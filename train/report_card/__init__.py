"""A report card of the columns before a network is trained on them: what each looks like, and what changes it.

`counters` finds columns that must be no channels, since they never come back to what was seen; `codes`, `values` and
`course` find what is worth a look in the others, `standstill` in all of them together. `grading` makes the card of
what they found, `table` prints it.
"""
