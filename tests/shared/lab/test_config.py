"""Options as transformers' own dataclass parser reads them, each kind of option, and errors that name the option."""

from dataclasses import asdict, dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from transformers.hf_argparser import HfArgumentParser

from shared.lab.config import ScriptConfig, option, parse_config


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: int = option(400, "optimizer steps")
    learning_rate: float = option(3e-3, "peak learning rate, 100% of it")
    compile: bool = option(False, "compile the model")
    cache: bool = option(True, "keep keys and values")
    top_k: int | None = option(None, "choose among so many")
    norm: Literal["pre", "post"] = option("pre", "where the norm stands")
    kind: str = option("bpe", "kind of tokenizer", choices=("bpe", "char"))
    orders: tuple[int, ...] = option((1, 2), "tokens of an n-gram")
    preset: str | None = option(None, "recorded configuration")


def test_defaults_need_no_words():
    assert parse_config(Config, []) == Config()
    assert (Config().out, Config().seed, Config().device) == (None, 0, "auto")


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("--steps 7", "steps", 7),
        ("--learning-rate 1e-4", "learning_rate", 1e-4),
        ("--learning_rate=0.5", "learning_rate", 0.5),
        ("--compile", "compile", True),
        ("--no-cache", "cache", False),
        ("--top-k 40", "top_k", 40),
        ("--norm post", "norm", "post"),
        ("--kind char", "kind", "char"),
        ("--orders 3 4 5", "orders", (3, 4, 5)),
        ("--out some_folder/a_b", "out", Path("some_folder/a_b")),
    ],
)
def test_each_kind_of_option(words: str, name: str, value: object):
    config = parse_config(Config, words.split())
    assert asdict(config) == {**asdict(Config()), name: value}


def test_agrees_with_the_parser_of_transformers():
    # Theirs reads the metadata of a field as arguments of argparse, so the fields are made anew from ours.
    kinds = {"steps": int, "learning_rate": float, "seed": int, "device": str}
    theirs: Any = make_dataclass(
        "Theirs", [(name, kind, field(default=getattr(Config, name))) for name, kind in kinds.items()]
    )
    words = ["--learning_rate", "0.25", "--device", "cpu", "--seed", "3"]
    parsed: Any = HfArgumentParser(theirs).parse_args_into_dataclasses(args=words)[0]
    assert asdict(parsed) == {
        name: value for name, value in asdict(parse_config(Config, words)).items() if name in kinds
    }


def test_what_is_given_overrides_the_preset_and_the_preset_the_defaults():
    presets = {"small": {"steps": 10, "kind": "char"}, "large": {"steps": 1000}}
    config = parse_config(Config, ["--preset", "small", "--steps", "11"], presets)
    assert (config.steps, config.kind, config.preset) == (11, "char", "small")
    assert parse_config(Config, [], presets).steps == 400


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--steps many", "--steps: invalid int value: 'many'"),
        ("--kind word", "--kind: invalid choice: 'word'"),
        ("--norm both", "--norm: invalid choice: 'both'"),
        ("--step 7", "unrecognized arguments: --step"),
        ("--preset huge", "--preset: must be one of small; got 'huge'"),
    ],
)
def test_errors_name_the_option(words: str, message: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse_config(Config, words.split(), {"small": {}})
    assert message in capsys.readouterr().err


def test_help_is_the_docstring_and_each_line_of_help_with_its_default(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse_config(Config, ["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Options as transformers' own dataclass parser reads them" in text
    assert "--learning-rate LEARNING_RATE peak learning rate, 100% of it (default: 0.003)" in text
    assert "--compile, --no-compile" in text
