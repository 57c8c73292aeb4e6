"""A hash that moves when code means something else, and only then; files and libraries that results rest on."""

import hashlib
from pathlib import Path

import pytest
import torch

from shared.lab import provenance
from shared.lab.provenance import note_read, source_hash

SCRIPT = '''"""A question."""
from study.part import g
from shared.text.alpha import f
from shared.lab.results import save
from shared.lab.runtime import seed


class Config:
    x: int


def main(x: float = 1.0, *rest: int, key: str = "a", **more: int) -> str:
    """Answer it."""
    return f"{f(g(x)):.3f} {key!r} 🫚" + str({**more})
'''
MODULES = {
    "text/alpha": (
        'import shared.nn.beta\nfrom shared.nn import gamma\nWORDS = "words.toml"\n\n\ndef f(x):\n    return x + 1\n'
    ),
    "nn/beta": "TWO = 2\n",
    "nn/gamma": "THREE = 3\n",
    "nn/delta": "FOUR = 4\n",
    "lab/results": "EIGHT = 8\n",
    "lab/runtime": "NINE = 9\n",
}


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in a little repository: it uses alpha, which uses beta, gamma and words.toml; nothing uses delta."""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    for folder in ("shared/text", "shared/nn", "shared/lab", "study"):
        (tmp_path / folder).mkdir(parents=True)
    for name, code in MODULES.items():
        (tmp_path / "shared" / f"{name}.py").write_text(code)
    (tmp_path / "shared" / "text" / "words.toml").write_text('2 = "salt"\n')
    (tmp_path / "study" / "part.py").write_text("def g(x):\n    return 5 * x\n")
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
        ("study/part.py", "5", "6"),
        ("shared/text/alpha.py", "x + 1", "x - 1"),
        ("shared/nn/beta.py", "2", "3"),
        ("shared/nn/gamma.py", "3", "4"),
        ("shared/text/words.toml", '"salt"', '"sugar"'),
        ("shared/lab/runtime.py", "9", "10"),
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
        ("script.py", "x: float = 1.0", "x: PositiveFloat = 1.0"),
        ("script.py", ") -> str:", ") -> object:"),
        ("script.py", "\n\ndef main", "\n\nSmall = Annotated[int, 3]\n\n\ndef main"),
        ("script.py", "    x: int\n", "    x: int\n\n    def check(self) -> None:\n        f(1)\n"),
        ("script.py", "from study.part", "from pydantic import PositiveFloat\nfrom study.part"),
        ("script.py", '    return f"', '    # why\n\n    return f"'),
        ("shared/text/alpha.py", "x + 1", "(x\n            + 1)"),
        ("shared/nn/delta.py", "4", "5"),
        ("shared/lab/results.py", "8", "9"),
    ],
)
def test_layout_comments_docstrings_writers_and_what_is_not_used_do_not(script: Path, file: str, old: str, new: str):
    before = source_hash(script)
    change(script.parent / file, old, new)
    assert source_hash(script) == before


def test_every_version_of_python_gives_this_hash(script: Path):
    assert source_hash(script) == "5ea6a77b920f5edd"


def test_a_script_that_is_gone_is_an_error(script: Path):
    script.unlink()
    with pytest.raises(FileNotFoundError, match=r"script.py"):
        source_hash(script)


def test_a_result_names_the_files_and_libraries_that_it_rests_on(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "_read", {})
    provenance.sha256.cache_clear()
    model, public = script.parent / "data" / "model", script.parent / "elsewhere" / "input.txt"
    for path in (model / "config.json", model / "weights", public):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    assert note_read(model) == model
    note_read(public, "tinyshakespeare/input.txt")
    rests_on = provenance.provenance(script)
    assert rests_on["data"] == {
        name: hashlib.sha256(content.encode()).hexdigest()
        for name, content in (
            ("data/model/config.json", "config.json"),
            ("data/model/weights", "weights"),
            ("tinyshakespeare/input.txt", "input.txt"),
        )
    }
    assert rests_on["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert provenance.changes(rests_on, script) == []
    provenance.forget_reads()
    assert provenance.provenance(script)["data"] == {}


def test_what_has_changed_is_named(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "_read", {})
    weights = script.parent / "data" / "weights"
    weights.parent.mkdir()
    weights.write_text("old")
    note_read(weights)
    rests_on = provenance.provenance(script)
    weights.write_text("new")
    provenance.sha256.cache_clear()
    change(script, "1.0", "1.5")
    rests_on["libraries"]["torch"] = "1.0"
    assert provenance.changes(rests_on, script) == ["code", "data/weights", "torch 1.0"]
    script.unlink()
    assert provenance.changes(rests_on, script) == ["its script is gone"]
