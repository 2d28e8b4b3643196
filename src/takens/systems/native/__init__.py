"""Trees to machine code: the instructions, the solvers written in them, and their calls."""
