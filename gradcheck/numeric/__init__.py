"""Measured derivatives with error bounds. Knows arrays and callables; knows nothing of layers, cases or verdicts."""
