"""Whatever a stranger can send, thrown at whatever reads it: by properties (hypothesis), by coverage
(atheris), through HTTP (schemathesis); and all that was ever found, again (corpus/).

Law of this package: a target is a plain function of bytes that raises where a promise is broken. Both engines
and the replay run the same ones, so a finding of one is an entry in the corpus for all.
"""
