"""The benchmark: ``python -m tests.bench`` measures initd beside every peer and writes docs/performance.md.

No test is in here, and no test is timed: whether a goal is kept is said in the page, where ratios to the
peers stand that were measured in the same run. experiments.py is what is measured.
"""
