"""Facial expression recognition: data, training, evaluation and live analysis."""

__version__ = "0.1.0"
