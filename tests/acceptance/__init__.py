"""The sandbox as people meet it: its command, its page in a real browser, its interface for other programs.

Belongs here: what one sees, types and presses, and what the command leaves behind. Does not belong here: the inside of
the bot or of a stand-in. axe-core is installed by npm into the tests' cache (`SLUICE_TEST_CACHE`), or named by
`SLUICE_AXE`; without npm its test is skipped, and fails where `CI` is set. Screenshots go to `SLUICE_ARTIFACTS`; the
two of the README are `sandbox-1440.png` and `sandbox-390.png`, copied from there to `deploy/images`.
"""
