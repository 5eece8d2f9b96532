"""The audit: what it names is there."""

from pathlib import Path

from books import ROOT

from scripts.audit import OTHER_SEEDS
from scripts.sources import Book


def test_what_is_tried_from_other_seeds_is_in_the_book():
    assert set(OTHER_SEEDS) <= {Path(name).stem for name in Book.read(ROOT).notebooks}
