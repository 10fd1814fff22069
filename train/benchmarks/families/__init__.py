"""Families of recordings in a folder: a detector is worth what it does on those that none of its constants knew.

`layout` reads the folder, `trying` fits and plays, `judging` counts, `claims` compares the false alerts with what was
promised, `leaving_out` chooses constants on all families but one; `benchmark` puts them together, `table` and
`command` show what came of it.
"""
