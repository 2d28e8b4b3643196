"""Partial differential equations on a periodic grid: their terms, their grid, their steps in time."""
