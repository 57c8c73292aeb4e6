"""The mutation run breaks what it says, and only code that runs."""

import ast

from tests.mutate import mutants

CODE = '''"""A module."""
from typing import Literal

Kind = Literal["a", "b"]


def scale(x: float = 2.0, kind: Kind = "a") -> float:
    """Return x, or minus x."""
    if x > 1 and kind == "a":
        raise ValueError(f"at most {1}")
    return -x if kind else x + 3
'''


def test_each_kind_of_fault_is_made_once():
    assert sorted((mutant.before, mutant.after) for mutant in mutants(CODE)) == [
        ("'a'", "'ax'"),
        ("'a'", "'ax'"),
        ("-x", "x"),
        ("-x if kind else x + 3", "-x if not kind else x + 3"),
        ("1", "2"),
        ("2.0", "3.0"),
        ("3", "4"),
        ("kind == 'a'", "kind != 'a'"),
        ("x + 3", "x - 3"),
        ("x > 1", "x <= 1"),
        ("x > 1", "x >= 1"),
        ("x > 1 and kind == 'a'", "not (x > 1 and kind == 'a')"),
        ("x > 1 and kind == 'a'", "x > 1 or kind == 'a'"),
    ]


def test_annotations_docstrings_and_messages_stay():
    for mutant in mutants(CODE):
        tree = ast.parse(mutant.code)
        assert mutant.code != ast.unparse(ast.parse(CODE))
        assert ast.get_docstring(tree) == "A module."
        assert "Kind = Literal['a', 'b']" in mutant.code
        assert "f'at most {1}'" in mutant.code
