"""Code as text: what is written otherwise and means the same, and what does not."""

import ast

import pytest

from shared.lab.meanings import meaning, parts, says_nothing

CODE = """
def area(radius: float) -> float:
    \'\'\'Of a circle.\'\'\'
    return 3.14 * radius**2
"""


def meant(code: str) -> str:
    return meaning(ast.parse(code), [])


@pytest.mark.parametrize(
    ("old", "new"), [(": float", ""), (" -> float", ""), ("Of a circle.", "Its area."), ("3.14 *", "(\n    3.14  *"),
                     ("return", "# by Archimedes\n    return")],
)  # fmt: skip
def test_what_is_written_otherwise_means_the_same(old: str, new: str):
    assert old in CODE
    changed = CODE.replace(old, new)
    changed = changed.replace("radius**2", "radius**2)") if "(\n" in new else changed
    assert changed != CODE
    assert meant(changed) == meant(CODE)


@pytest.mark.parametrize(("old", "new"), [("3.14", "3.15"), ("radius**2", "radius**3"), ("area", "surface")])
def test_another_value_operation_or_name_is_another_meaning(old: str, new: str):
    assert meant(CODE.replace(old, new)) != meant(CODE)


def test_parts_leave_out_what_is_asked_and_what_says_nothing():
    module = ast.parse("x = 1\n'words'\ndef f():\n    return y\n")
    names = [part.id for part in parts(module, [module.body[2]]) if isinstance(part, ast.Name)]
    assert names == ["x"]
    assert says_nothing(module.body[1])
    assert not says_nothing(module.body[0])


@pytest.mark.parametrize("code", ["Kind = Literal['a']", "from pydantic import PositiveInt", "def check(self): pass"])
def test_what_settles_which_values_are_allowed_computes_nothing(code: str):
    assert says_nothing(ast.parse(code).body[0])
