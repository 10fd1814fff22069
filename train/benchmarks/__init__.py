"""Benchmarks: public data and the simulator through fit and the device's own code, beside what has to be beaten.

A benchmark sets only what a user would: rows to fit and to calibrate, period, season, zone, window. It prints what it
set. No label is read but to measure.
"""
