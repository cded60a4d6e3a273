"""Figures of this machine: medians, percentiles and ratios."""
