"""Measurements, run by hand and by `./inv bench`: medians and ratios, never a test."""
