"""Which changes of code reach a result: those of what `main` uses, in whatever file it stands, and no others."""

from pathlib import Path

import pytest

from shared.lab import provenance
from shared.lab.provenance import source_hash
from shared.lab.reached import reached

SCRIPT = '''"""A question."""
from study.part import g
from shared.text.alpha import f
from shared.lab.results import save
from shared.lab.runtime import seed

PRESETS = {"many": {"x": 7}}


class Config:
    x: int = 8


def main(x: float = 1.0, *rest: int, key: str = "a", **more: int) -> str:
    """Answer it."""
    seed(x)
    return f"{f(g(x)):.3f} {key!r} 🫚" + str({**more})


def plot(results):
    return f(11)
'''
MODULES = {
    "text/alpha": """
from shared.nn import gamma
from shared.nn.beta import TWO
from shared.nn.epsilon import Counter
from shared.nn.zeta import Network

FILE = "words.toml"


def f(x):
    return gamma.three(FILE) + TWO + Counter.fresh().count() + Network(x)


def not_called(x):
    return x - 12
""",
    "nn/beta": "TWO = 2\n",
    "nn/gamma": "def three(x):\n    return 3\n\n\ndef thirteen(x):\n    return 13\n",
    "nn/delta": "FOUR = 4\n",
    "nn/epsilon": """
class Base:
    def count(self):
        return self._one() + 14

    def _one(self):
        return 15

    def never(self):
        return 16


class Counter(Base):
    @classmethod
    def fresh(cls):
        return cls()
""",
    "nn/zeta": """
from torch import nn


class Network(nn.Module):
    def forward(self, x):
        return 17

    @classmethod
    def from_file(cls):
        return 18
""",
    "lab/results": "def save(x):\n    return 19\n",
    "lab/runtime": "def seed(x):\n    return 9\n",
}


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in a little repository: it uses alpha, which uses beta, gamma, epsilon, zeta and words.toml."""
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
        ("shared/text/alpha.py", "+ TWO", "- TWO"),
        ("shared/nn/beta.py", "2", "3"),
        ("shared/nn/gamma.py", "return 3", "return 4"),
        ("shared/nn/epsilon.py", "14", "0"),
        ("shared/nn/epsilon.py", "15", "0"),
        ("shared/nn/epsilon.py", "return cls()", "return Base()"),
        ("shared/nn/zeta.py", "17", "0"),  # PyTorch calls it, though nobody here does by name
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
        ("script.py", "    x: int = 8\n", "    x: int = 8\n\n    def check(self) -> None:\n        f(1)\n"),
        ("script.py", "from study.part", "from pydantic import PositiveFloat\nfrom study.part"),
        ("script.py", '    return f"', '    # why\n\n    return f"'),
        ("script.py", "x: int = 8", "x: int = 9\n    y: int = 10"),
        ("script.py", "f(11)", "f(12)"),
        ("script.py", "7", "8"),
        ("shared/text/alpha.py", "return gamma.three(FILE) + TWO", "return (gamma.three(FILE)\n        + TWO)"),
        ("shared/text/alpha.py", "12", "0"),
        ("shared/nn/gamma.py", "13", "0"),
        ("shared/nn/delta.py", "4", "5"),
        ("shared/nn/epsilon.py", "16", "0"),
        ("shared/nn/zeta.py", "18", "0"),
        ("shared/lab/results.py", "19", "0"),
    ],
)
def test_layout_comments_docstrings_writers_and_what_is_not_used_do_not(script: Path, file: str, old: str, new: str):
    before = source_hash(script)
    change(script.parent / file, old, new)
    assert source_hash(script) == before


def test_a_definition_may_move_to_another_file(script: Path):
    before = source_hash(script)
    change(script.parent / "shared/nn/beta.py", "TWO = 2\n", "")
    change(script.parent / "shared/nn/delta.py", "FOUR", "TWO = 2\nFOUR")
    change(script.parent / "shared/text/alpha.py", "nn.beta", "nn.delta")
    assert source_hash(script) == before


def test_every_version_of_python_gives_this_hash(script: Path):
    assert source_hash(script) == "a8a5026ba31065e5"


def test_the_definitions_are_named_once_each(script: Path):
    found = reached(script, script.parent)
    assert len(found) == len(set(found))
    assert sum("name='three'" in text for text in found) == 1
    assert not any("thirteen" in text or "from_file" in text for text in found)
