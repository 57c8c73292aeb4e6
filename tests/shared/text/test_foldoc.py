"""The dictionary of computing: its entries and references."""

import gzip

import pytest

from shared.lab.datasets import DataError
from shared.text import foldoc

DICTIONARY = """
00-database-short
     A dictionary

apple
malus

   <fruit> A {fruit
   (Fruit)} of the {tree}.  It says
{not here}.

   Second {tree} of {malus}
\t
{(https://example.org)}.

tree

   Carries {APPLE}s.
"""


def test_a_dictionary_has_entries_with_names_and_references():
    apple, tree = foldoc.parse(DICTIONARY)
    assert apple.names == ("apple", "malus")
    assert apple.text.startswith("<fruit> A {fruit (Fruit)} of the {tree}. It says {not here}.\n\nSecond {tree}")
    assert apple.references[:3] == ("Fruit", "tree", "not here")
    assert apple.plain.startswith("<fruit> A fruit of the tree. It says not here.")
    assert tree.names == ("tree",)
    assert foldoc.links([apple, tree]) == [(0, 1), (1, 0)]


def test_a_dictionary_that_is_missing_or_damaged_is_one_sentence(own_data):
    with pytest.raises(DataError, match=r"txt\.gz is missing: make it from"):
        foldoc.read_entries()
    for content, sentence in ((b"no packed file", "is damaged"), (gzip.compress(b"no entry"), "holds no entry")):
        own_data("foldoc/foldoc.txt.gz", content)
        with pytest.raises(DataError, match=sentence):
            foldoc.read_entries()
