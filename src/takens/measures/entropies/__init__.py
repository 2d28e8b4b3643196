"""Entropies as products: outcome space x probability estimator x definition."""
