"""The audit: what it names is there."""

from pathlib import Path

from books import ROOT

from scripts.audit import ONE_SEED
from scripts.sources import Book


def test_what_keeps_its_seed_is_in_the_book():
    assert set(ONE_SEED) <= {Path(name).stem for name in Book.read(ROOT).notebooks}
