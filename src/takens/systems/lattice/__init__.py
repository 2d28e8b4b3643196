"""Lattices: many like parts by one set of equations, a rule that flows and maps may have."""
