"""Versions loosened, compared, and reports of tests read."""

import tomllib
from pathlib import Path

import pytest

from shared.lab.newest import (
    Change,
    Failure,
    changes,
    locked_versions,
    loosen,
    read_report,
    required_versions,
)
from shared.lab.paths import ROOT

PROJECT = """\
[project]
name = "toy"
version = "1.0"
requires-python = ">=3.11,<3.14"
dependencies = [
    "plain==1.0", # a comment
    'quoted == 2.0',
    "extra[one,two]==3.0.1",
    "marked==4.0 ; sys_platform == 'linux'",
    "range>=1,<2",
    "family==5.*",
    "free",
]
[project.optional-dependencies]
more = ["optional==6.0"]
[dependency-groups]
dev = ["tester==7.0", { include-group = "docs" }]
docs = ["writer==8.0; python_version < '3.12'"]
[build-system]
requires = ["builder==9.0"]
[tool.uv]
exclude-newer = "2026-01-01T00:00:00Z"
required-environments = ["sys_platform == 'linux'"]
constraint-dependencies = ["indirect==10.0"]
override-dependencies = ["unwanted; python_version < '3'"]
"""


def test_exact_versions_become_lower_bounds_and_everything_else_stays():
    loose = tomllib.loads(loosen(PROJECT))
    assert loose["project"]["dependencies"] == [
        "plain>=1.0",
        "quoted >=2.0",
        "extra[one,two]>=3.0.1",
        "marked>=4.0 ; sys_platform == 'linux'",
        "range>=1,<2",
        "family==5.*",
        "free",
    ]
    assert loose["project"]["optional-dependencies"] == {"more": ["optional>=6.0"]}
    assert loose["dependency-groups"]["dev"] == ["tester>=7.0", {"include-group": "docs"}]
    assert loose["dependency-groups"]["docs"] == ["writer>=8.0; python_version < '3.12'"]
    assert loose["build-system"]["requires"] == ["builder>=9.0"]
    assert loose["tool"]["uv"] == {
        "required-environments": ["sys_platform == 'linux'"],
        "constraint-dependencies": ["indirect>=10.0"],
        "override-dependencies": ["unwanted; python_version < '3'"],
    }
    assert (loose["project"]["version"], loose["project"]["requires-python"]) == ("1.0", ">=3.11,<3.14")
    assert "# a comment" in loosen(PROJECT)


def test_nothing_of_this_project_stays_pinned():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    loose = tomllib.loads(loosen(text))
    pinned = tomllib.loads(text)["project"]["dependencies"]
    assert len(pinned) == len(loose["project"]["dependencies"])
    groups = loose["dependency-groups"].values()
    assert not [one for many in (loose["project"]["dependencies"], *groups) for one in many if "==" in one]
    assert "exclude-newer" not in loose["tool"]["uv"]


def test_versions_are_read_and_compared():
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ {source} = "x" }}\n'
        for name, version, source in (
            ("same", "1", "registry"),
            ("moved", "2", "registry"),
            ("forked", "4", "registry"),
            ("forked", "3", "registry"),
            ("toy", "9", "editable"),
        )
    )
    after = locked_versions(lock)
    assert after == {"same": "1", "moved": "2", "forked": "3 or 4"}
    before = required_versions("same==1 ; sys_platform == 'linux'\nMoved==1\nGone_now[all]==5\n    --hash=x\n")
    assert before == {"same": "1", "moved": "1", "gone-now": "5"}
    found = changes(before, after)
    assert found == [Change("forked", "", "3 or 4"), Change("gone-now", "5", ""), Change("moved", "1", "2")]
    assert [str(change) for change in found] == [
        "forked (new) -> 3 or 4",
        "gone-now 5 -> (not needed any more)",
        "moved 1 -> 2",
    ]


JUNIT = """<testsuites><testsuite>
<testcase classname="" name="tests.test_b" file="tests/test_b.py"><error message="collection failure">Hint: names
E   ModuleNotFoundError: No module named 'gone'</error></testcase>
<testcase classname="tests.test_a" name="test_ok" file="tests/test_a.py" />
<testcase classname="tests.test_a" name="test_p[2]" file="tests/test_a.py"><failure message="Error: two&#10;no">
</failure></testcase>
<testcase classname="tests.test_a" name="test_s" file="tests/test_a.py"><skipped message="no" /></testcase>
<testcase classname="tests.test_a.TestIn" name="test_m" file="tests/test_a.py"><failure message="bad" /></testcase>
<testcase classname="tests.test_a" name="test_e" file="tests/test_a.py"><error /></testcase>
</testsuite></testsuites>"""


def test_a_report_names_what_broke_as_pytest_calls_it(tmp_path: Path):
    (tmp_path / "report.xml").write_text(JUNIT)
    report = read_report(tmp_path / "report.xml")
    assert (report.passed, report.skipped) == (1, 1)
    assert report.failures == (
        Failure("tests/test_b.py", "ModuleNotFoundError: No module named 'gone'"),
        Failure("tests/test_a.py::test_p[2]", "Error: two"),
        Failure("tests/test_a.py::TestIn::test_m", "bad"),
        Failure("tests/test_a.py::test_e", "it does not say why"),
    )


@pytest.mark.parametrize("content", [None, "", JUNIT[:80]])
def test_without_a_whole_report_pytest_broke(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "report.xml").write_text(content)
    with pytest.raises(ValueError, match="pytest ended without a report"):
        read_report(tmp_path / "report.xml")
