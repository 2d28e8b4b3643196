"""Machine-code kernels of measures; imported inside functions, since Numba takes long to import."""
