"""Generated input of every kind: documents of the CRDs' own schemas, words, clicks, files, settings.

Belongs here: what looks for a traceback, a lost field or a missing answer where nobody thought of one. Belongs
elsewhere: rules with names, which have tests of their own. `SLUICE_FUZZ=long` takes many more cases, and others each
time; without it a run is short and always the same.
"""
