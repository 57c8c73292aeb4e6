"""Debian's list of packages, and what was newer later."""

import gzip

import pytest

from shared.lab.datasets import VARIABLE, DataError, find_folder
from shared.text import debian

FILE = "packages.tsv.gz"
NEEDS = "tree (>= 2), bee | wasp"
PACKAGES = (
    "package\tversion\tdepends\tshort\tlong\n"
    "apple\t1\ttree (>= 2), bee | wasp\tred fruit\tIt is red.\\n.\\nMore of it.\n"
    "empty\t1\t\tnothing\t\n"
)


def test_a_package_has_what_its_line_says(own_data):
    own_data("debian/packages.tsv.gz", gzip.compress(PACKAGES.encode()))
    own_data("debian/updates.tsv.gz", gzip.compress(PACKAGES.replace("\t1\t", "\t2\t").encode()))
    apple, empty = debian.read_packages()
    assert apple == debian.Package("apple", "red fruit", "It is red.\n.\nMore of it.", "1", depends=NEEDS)
    assert apple.family == "It is red."
    assert (empty.name, empty.long, empty.depends) == ("empty", "", "")
    assert [package.version for package in debian.read_updates()] == ["2", "2"]


@pytest.mark.parametrize("name", ["packages.tsv.gz", "updates.tsv.gz"])
def test_a_list_that_is_missing_or_damaged_is_one_sentence(own_data, name):
    read = debian.read_packages if name.startswith("p") else debian.read_updates
    with pytest.raises(DataError, match=f"debian/{name} is missing: make it from"):
        read()
    own_data(f"debian/{name}", gzip.compress(PACKAGES.encode())[:-20])
    with pytest.raises(DataError, match="is damaged"):
        read()
    own_data(f"debian/{name}", b"no packed file")
    with pytest.raises(DataError, match="is damaged"):
        read()
    for header in ("nothing\there", "package\tshort\tlong\tprice"):
        own_data(f"debian/{name}", gzip.compress(header.encode()))
        with pytest.raises(DataError, match="must have the columns"):
            read()
    own_data(f"debian/{name}", gzip.compress((PACKAGES + "half\t1").encode()))
    with pytest.raises(DataError, match=r"line 4 .* has 2 fields, not 5"):
        read()


def test_links_are_what_packages_need():
    assert debian.choices("a (>= 1.2), b:any | c,, d[amd64]") == [["a"], ["b", "c"], ["d"]]
    packages = [
        debian.Package("a", depends="b (>= 1) | unknown, c, c (<< 9)", recommends="d, b, a"),
        debian.Package("b"),
        debian.Package("c", depends="a"),
        debian.Package("d"),
    ]
    assert debian.dependency_links(packages, recommended=False) == [(0, 1), (0, 2), (2, 0)]
    assert debian.dependency_links(packages) == [(0, 1), (0, 2), (0, 3), (2, 0)]


@pytest.mark.skipif(not (find_folder("debian", [FILE]) / FILE).exists(), reason=f"needs {VARIABLE} with debian")
def test_the_links_of_debian():
    packages = debian.read_packages()
    assert len(packages) == 63_440
    assert len(debian.dependency_links(packages, recommended=False)) == 246_752
    assert len(debian.dependency_links(packages)) == 275_477
