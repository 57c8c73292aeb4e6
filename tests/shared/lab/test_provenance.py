"""A hash that moves when code means something else, and only then."""

from pathlib import Path

import pytest

from shared.lab import provenance
from shared.lab.provenance import source_hash

SCRIPT = '''"""A question."""
from part import g
from shared.alpha import f
from shared.lab.results import save


def main(x: float = 1.0, *rest: int, key: str = "a", **more: int) -> str:
    """Answer it."""
    return f"{f(g(x)):.3f} {key!r} 🫚" + str({**more})
'''
MODULES = {
    "alpha": 'import shared.beta\nfrom shared import gamma\nWORDS = "words.toml"\n\n\ndef f(x):\n    return x + 1\n',
    "beta": "TWO = 2\n",
    "gamma": "THREE = 3\n",
    "delta": "FOUR = 4\n",
    "results": "EIGHT = 8\n",
}


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in a little repository: it uses alpha, which uses beta, gamma and words.toml; nothing uses delta."""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    (tmp_path / "shared").mkdir()
    for name, code in MODULES.items():
        (tmp_path / "shared" / f"{name}.py").write_text(code)
    (tmp_path / "shared" / "words.toml").write_text('2 = "salt"\n')
    (tmp_path / "part.py").write_text("def g(x):\n    return 5 * x\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path / "script.py"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "1.0", "1.5"),
        ("script.py", ".3f", ".2f"),
        ("part.py", "5", "6"),
        ("shared/alpha.py", "x + 1", "x - 1"),
        ("shared/beta.py", "2", "3"),
        ("shared/gamma.py", "3", "4"),
        ("shared/words.toml", '"salt"', '"sugar"'),
    ],
)
def test_a_change_of_what_is_used_moves_the_hash(script: Path, file: str, old: str, new: str):
    before = source_hash(script)
    change(script.parent / file, old, new)
    assert source_hash(script) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "A question.", "Another question?"),
        ("script.py", "Answer it.", "Answer it well."),
        ("script.py", '    return f"', '    # why\n\n    return f"'),
        ("shared/alpha.py", "x + 1", "(x\n            + 1)"),
        ("shared/delta.py", "4", "5"),
        ("shared/lab/results.py", "8", "9"),
    ],
)
def test_layout_comments_docstrings_writers_and_what_is_not_used_do_not(script: Path, file: str, old: str, new: str):
    before = source_hash(script)
    change(script.parent / file, old, new)
    assert source_hash(script) == before


def test_every_version_of_python_gives_this_hash(script: Path):
    assert source_hash(script) == "c00e72feff77d243"


def test_a_script_that_is_gone_is_an_error(script: Path):
    script.unlink()
    with pytest.raises(FileNotFoundError, match=r"script.py"):
        source_hash(script)
