"""Pickles that are read as data: what is data comes back, and what would run is refused before it does."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.lab.data_pickles import read_pickle


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_what_is_data_comes_back_as_pickle_reads_it(tmp_path: Path, protocol: int):
    path = tmp_path / "some.pickle"
    arrays = [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array([1, 2], dtype=">i4"),
    ]
    for array in arrays:
        path.write_bytes(pickle.dumps({"names": ["a"], "array": array}, protocol=protocol))
        found = read_pickle(path, {})
        assert found["names"] == ["a"]
        assert (found["array"].array == array).all()
        assert found["array"].array.shape == array.shape


class Attack:
    """An object whose pickle makes a file when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_a_pickle_that_runs_something_is_refused_before_it_does(tmp_path: Path):
    target, path = tmp_path / "ran", tmp_path / "some.pickle"
    hidden = io.BytesIO()
    torch.save([Attack(target)], hidden, _use_new_zipfile_serialization=False)
    storage = b"ctorch.storage\n_load_from_bytes\n(" + pickle.dumps(hidden.getvalue(), 2)[2:-1] + b"tR."
    named = [
        f"c{name.rpartition('.')[0]}\n{name.rpartition('.')[2]}\n(S'touch {target}'\ntR.".encode()
        for name in ("posix.system", "os.system", "builtins.eval", "numpy.load", "torch.load", "builtins.getattr")
    ]
    for content in (pickle.dumps(Attack(target)), pickle.dumps([1, {"a": Attack(target)}], 2), storage, *named):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"some\.pickle is no pickle of this data"):
            read_pickle(path, {})
        assert not target.exists()


def test_an_array_of_pointers_is_refused(tmp_path: Path):
    """NumPy would take the bytes of such an array for addresses of objects."""
    path = tmp_path / "some.pickle"
    for array in (np.array([[1, 2]], dtype=object), np.array(["a"]), np.array([(1, 2)], dtype="i4,i4")):
        path.write_bytes(pickle.dumps(array, protocol=2))
        with pytest.raises(ValueError, match=r"some\.pickle is no pickle of this data \(an array must hold numbers"):
            read_pickle(path, {})
