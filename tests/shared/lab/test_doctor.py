"""What a machine has and lacks, on machines that we have not."""

import io
import re
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from rich.console import Console

from shared.lab import datasets, doctor, paths
from shared.lab.doctor import Finding, examine_machine, memory_bytes, show_findings

Usage = namedtuple("Usage", ["total", "used", "free"])


def finding(subject: str) -> Finding:
    return next(found for found in examine_machine() if found.subject == subject)


def test_the_memory_is_that_of_the_system():
    memory = memory_bytes()
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        assert memory == int(meminfo.read_text().split()[1]) * 1024
    assert memory is None or memory > 2**28


def test_a_system_that_does_not_say_its_memory_is_unknown(monkeypatch: pytest.MonkeyPatch):
    def refuse(_: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr("os.sysconf", refuse)
    monkeypatch.setattr(sys, "platform", "plan9")
    assert memory_bytes() is None
    assert finding("memory") == Finding("memory", "unknown")


@pytest.mark.parametrize(("gibibytes", "lacks"), [(2, True), (50, False)])
def test_little_disk_and_memory_are_lacks(monkeypatch: pytest.MonkeyPatch, gibibytes: int, lacks: bool):
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, gibibytes * 2**30))
    monkeypatch.setattr(doctor, "memory_bytes", lambda: gibibytes * 2**30)
    assert bool(finding("free disk").lack) == bool(finding("memory").lack) == lacks
    assert finding("free disk").found == f"{gibibytes} GiB"


def test_one_thread_is_a_lack(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    for threads, variable, lack in ((2, "2", ""), (1, "1", "unset it"), (1, None, "up to twice as long")):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if variable is not None:
            monkeypatch.setenv("OMP_NUM_THREADS", variable)
        found = finding("threads")
        assert found.found == f"{threads} of 8 cores"
        assert (lack in found.lack) if lack else found.lack == ""


@pytest.mark.parametrize("cuda", [None, "13.2"])
def test_libraries_of_a_gpu_that_is_not_there_are_mentioned(monkeypatch: pytest.MonkeyPatch, cuda: str | None):
    monkeypatch.setattr(doctor, "pick_device", lambda: torch.device("cpu"))
    monkeypatch.setattr("torch.version.cuda", cuda)
    assert ("--torch-backend cpu" in finding("GPU").lack) == (cuda is not None)


@pytest.mark.parametrize("there", [True, False])
def test_bfloat16(monkeypatch: pytest.MonkeyPatch, there: bool):
    monkeypatch.setattr(doctor, "supports_bfloat16", lambda _: there)
    assert ("float32" in finding("bfloat16").lack) == (not there)


def test_real_data_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    own, cache = tmp_path / "own", tmp_path / "cache"
    monkeypatch.setattr(datasets, "CACHE", cache)
    monkeypatch.setenv("SPRINTS_DATA", str(own))
    assert finding("real data").found == "none"
    for folder, files in ((own / "tinyshakespeare", ["input.txt"]), (cache / "liar", ["train.tsv", "valid.tsv"])):
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).touch()
    assert finding("real data").found == "tinyshakespeare", "one file of liar lacks"
    assert re.search(r"need .*liar, .*zinc12k.*: `uv run data/get.py` gets them", finding("real data").lack)
    (cache / "liar" / "test.tsv").touch()
    assert finding("real data").found == "tinyshakespeare, liar"
    assert "liar" not in finding("real data").lack


def test_groups_of_pyproject_are_all_looked_for(monkeypatch: pytest.MonkeyPatch):
    import tomllib

    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(doctor.GROUPS) == set(project["dependency-groups"])
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "rdkit" else object())
    assert finding("group molecules").found == "not installed"
    assert "`uv run --group molecules ...`" in finding("group molecules").lack
    assert finding("group dev") == Finding("group dev", "installed")


def test_the_table_names_what_lacks():
    console = Console(file=io.StringIO(), width=100)
    show_findings([Finding("memory", "1 GiB", "much"), Finding("threads", "2")], console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[1].split() == ["memory", "1", "GiB", "much"]
    assert "check_environment.py" in lines[-1]
