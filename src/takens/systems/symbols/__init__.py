"""Expressions: from text to trees, and from trees to numbers, derivatives, text and LaTeX."""
