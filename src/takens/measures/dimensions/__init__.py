"""Dimensions: how many numbers tell where on its attractor a system is."""
