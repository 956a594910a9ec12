"""Faults that are made for real, and what was lost by them: nothing. docs/reliability.md is made from here.

Law of this package: each test is marked ``survives(fault, kept)``; how long a soak lasts is ``soak``'s.
"""
