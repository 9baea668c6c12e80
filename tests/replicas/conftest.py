# SPDX-License-Identifier: MIT
"""These tests use what a person does with notes (../http/notes_verbs.py)."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))
