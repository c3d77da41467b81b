"""Recorded sessions in a database: their rows, settings, markers, studies and consents, and what is made of them."""
