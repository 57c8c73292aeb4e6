"""Sources: each is described and has a checksum, and other libraries find the files where they look for them."""

import re

import pytest
from torchvision.datasets import MNIST

from shared.lab.sources import SOURCES, RemoteFile


def test_mnist_is_where_torchvision_looks_for_it():
    source = SOURCES["mnist"]
    assert {remote.address.rpartition("/")[2] for remote in source.files} == {name for name, _ in MNIST.resources}
    assert all(remote.address.rpartition("/")[0] + "/" in MNIST.mirrors for remote in source.files)
    assert source.folder == "MNIST/raw"


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_described(name: str):
    source = SOURCES[name]
    assert source.licence
    assert source.home.startswith("https://")
    assert len({remote.name for remote in source.files}) == len(source.files)
    for remote in source.files:
        assert re.fullmatch("[0-9a-f]{64}", remote.sha256)
        assert remote.address.startswith("https://")


def test_what_comes_from_the_address_is_packed_or_is_the_file():
    for ending, packed in ((".gz", True), (".zip", True), ("", False)):
        assert RemoteFile("input.txt", f"https://here/input.txt{ending}", "", 1).packed == packed
