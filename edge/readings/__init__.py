"""Files and streams of readings as people have them, read alike on the desktop and on the device.

`opening` gives lines of any file, `cells` cuts them, `head` finds names and units, `numbers`, `dates` and `instants`
read cells, `clock` chooses and reads the time, `long` pivots, `layout` puts together what was understood, `reader`
gives the rows. Standard library only; memory is bounded, whatever the file.
"""
