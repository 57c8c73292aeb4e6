"""Code on pages, as it stands in its file."""

from pathlib import Path

import pytest

from shared.lab import paths
from shared.lab.pages import refresh

CODE = '''
import math


class Layer:
    """A layer.

    Of several lines.
    """

    size = 3

    def double(self, x):
        """Return twice as much."""
        # why
        return 2 * x


@decorated
def half(x):
    return x / 2
'''


def test_code_is_shown_as_it_stands_in_its_file_without_docstrings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    (tmp_path / "layer.py").write_text(CODE)
    page = tmp_path / "README.md"

    def shown(symbol: str) -> str:
        page.write_text(f"<!-- code: layer.py::{symbol} -->\n<!-- end -->\n")
        return refresh(page)[1][0].fresh

    double = "def double(self, x):\n{0}    # why\n{0}    return 2 * x\n"
    assert shown("Layer.double") == f"```python\n{double.format('')}```\n"
    assert shown("half") == "```python\n@decorated\ndef half(x):\n    return x / 2\n```\n"
    assert shown("Layer") == f"```python\nclass Layer:\n    size = 3\n\n    {double.format('    ')}```\n"
    for symbol in ("lost", "Layer.lost"):
        with pytest.raises(ValueError, match=rf"README\.md:1: layer\.py defines no {symbol}"):
            shown(symbol)
    page.write_text("<!-- code: lost.py::half -->\n<!-- end -->\n")
    with pytest.raises(ValueError, match=r"there is no file lost\.py"):
        refresh(page)
