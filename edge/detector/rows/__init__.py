"""Readings become rows of a grid."""
