# SPDX-License-Identifier: MIT
"""./dev bench: how near to the machine's limit each path runs, in one run. run.py is the program, docs/PERFORMANCE.md says
what is measured and against what."""
