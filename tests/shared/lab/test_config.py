"""Options as transformers' own dataclass parser reads them, each kind of option, and errors that name the option."""

import re
from dataclasses import asdict, dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from transformers.hf_argparser import HfArgumentParser

from shared.lab.config import ScriptConfig, check_recordable, parse_config
from shared.lab.ranges import ExistingFile, ExistingFolder, PositiveInt, Share

PRESETS = {"small": {"steps": 10, "kind": "char"}, "large": {"steps": 1000}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 400  # optimizer steps
    learning_rate: float = 3e-3  # peak learning rate, 100% of it
    compile: bool = False  # compile the model
    cache: bool = True  # keep keys and values
    # choose among so many,
    # or among all
    top_k: int | None = None
    norm: Literal["pre", "post"] = "pre"  # where the norm stands
    kind: Literal["bpe", "char"] = "bpe"  # kind of tokenizer
    orders: tuple[PositiveInt, ...] = (1, 2)  # tokens of an n-gram
    names: tuple[str, ...] = ()  # columns
    text: Path | None = None  # a file
    dropout: Share = 0.0  # probability
    vectors: ExistingFile | None = None  # a file that is read
    pictures: ExistingFolder | None = None  # a folder that is read

    def check(self) -> None:
        if self.steps == 13 and self.compile:
            raise ValueError("--steps must not be 13 with --compile: take 14")


def test_defaults_need_no_words():
    assert parse_config(Config, []) == Config()
    assert (Config().out, Config().seed, Config().device) == (None, 0, "auto")


# Command lines as the pages have quoted them since the first sprint.
@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("--steps 7", "steps", 7),
        ("--learning-rate 1e-4", "learning_rate", 1e-4),
        ("--learning_rate 1e-4", "learning_rate", 1e-4),
        ("--learning-rate=0.5", "learning_rate", 0.5),
        ("--learning_rate=0.5", "learning_rate", 0.5),
        ("--compile", "compile", True),
        ("--no-compile", "compile", False),
        ("--no-cache", "cache", False),
        ("--top-k 40", "top_k", 40),
        ("--norm post", "norm", "post"),
        ("--kind char", "kind", "char"),
        ("--orders 3 4 5", "orders", (3, 4, 5)),
        ("--orders 3", "orders", (3,)),
        ("--names one two", "names", ("one", "two")),
        ("--text some_folder/a_b.txt", "text", Path("some_folder/a_b.txt")),
        ("--out some_folder/a_b", "out", Path("some_folder/a_b")),
        ("--seed 3", "seed", 3),
        ("--device cpu", "device", "cpu"),
    ],
)
def test_each_kind_of_option(words: str, name: str, value: object):
    config = parse_config(Config, words.split())
    assert asdict(config) == {**asdict(Config()), name: value}


def test_agrees_with_the_parser_of_transformers():
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
    config = parse_config(Config, ["--preset", "small", "--steps", "11"], PRESETS)
    assert (config.steps, config.kind, config.preset) == (11, "char", "small")
    assert parse_config(Config, [], PRESETS).steps == 400


def test_what_is_given_has_to_fit_the_preset_not_the_defaults(capsys: pytest.CaptureFixture[str]):
    presets = {"thirteen": {"steps": 13}, "fourteen": {"steps": 14, "compile": True}}
    assert parse_config(Config, ["--preset", "fourteen", "--steps", "15"], presets).steps == 15
    assert parse_config(Config, ["--preset", "thirteen", "--no-compile"], presets).steps == 13
    with pytest.raises(SystemExit, match="2"):
        parse_config(Config, ["--preset", "fourteen", "--steps", "13"], presets)
    assert "--steps must not be 13 with --compile: take 14" in capsys.readouterr().err


def test_a_record_has_the_options_of_its_name():
    assert parse_config(Config, ["--record"], PRESETS) == Config(record="default")
    assert parse_config(Config, ["--record", "default"], PRESETS) == Config(record="default")
    small = parse_config(Config, ["--record", "small"], PRESETS)
    assert small == Config(record="small", preset="small", steps=10, kind="char")
    check_recordable(small, PRESETS)
    check_recordable(parse_config(Config, ["--record", "--out", "there"], PRESETS), PRESETS)


@pytest.mark.parametrize(
    ("words", "option"),
    [("--record --steps 5", "--steps"), ("--record small --kind bpe", "--kind"), ("--record --seed 1", "--seed")],
)
def test_a_record_with_other_options_is_refused(words: str, option: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        check_recordable(parse_config(Config, words.split(), PRESETS), PRESETS)
    assert re.search(rf"takes no other options; got {option}: leave --record out", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--steps many", "--steps: invalid literal for int() with base 10: 'many'"),
        ("--steps 0", "--steps: must be greater than or equal to 1; got 0"),
        ("--orders 1 0", "--orders: must be greater than or equal to 1; got (1, 0)"),
        ("--orders", "--orders takes at least one value"),
        ("--kind word", "invalid choice 'word' for argument '--kind'. Expected one of ('bpe', 'char')"),
        ("--norm both", "invalid choice 'both' for argument '--norm'"),
        ("--step 7", "Unrecognized options: --step"),
        ("--compile yes", "Unrecognized options: yes"),
        ("--preset huge", "a preset must be one of small, large; got 'huge'"),
        ("--record huge", "a preset must be one of small, large; got 'huge'"),
        ("--record --preset small", "it cannot stand beside --preset small"),
        ("--dropout 1", "--dropout: must be less than 1; got 1.0"),
        ("--dropout nan", "--dropout must be a finite number; got nan"),
        ("--learning-rate inf", "--learning-rate must be a finite number; got inf"),
        ("--steps 99999999999999999999", "--steps: must be less than or equal to 2147483647; got 9999"),
        ("--seed -1", "--seed: must be greater than or equal to 0; got -1"),
        ("--device cpu:7", "--device: device must be auto or one that is present (cpu"),
        ("--vectors lost.txt", "--vectors: there is no such file; got lost.txt"),
        ("--vectors tests", "--vectors: there is no such file (it is a folder); got tests"),
        ("--pictures README.md", "--pictures: there is no such folder (it is a file); got README.md"),
        ("--steps 13 --compile", "--steps must not be 13 with --compile: take 14"),
    ],
)
def test_errors_name_the_option(words: str, message: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as error:
        parse_config(Config, words.split(), PRESETS)
    assert error.value.code == 2
    printed = capsys.readouterr()
    assert message in " ".join((printed.err + printed.out).replace("│", " ").split())


def test_an_empty_path_is_not_the_folder_that_one_stands_in(capsys: pytest.CaptureFixture[str]):
    for flag, words in (("--out", ["--out", ""]), ("--text", ["--text", ""]), ("--out", ["--out="])):
        with pytest.raises(SystemExit, match="2"):
            parse_config(Config, words)
        assert f"{flag} must be a path; got nothing" in capsys.readouterr().err
    assert parse_config(Config, ["--out", "."]).out == Path()


def test_help_is_the_docstring_and_each_comment_with_its_default(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as error:
        parse_config(Config, ["--help"])
    assert not error.value.code
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Options as transformers' own dataclass parser reads them" in text
    assert "peak learning rate, 100% of it (default: 0.003)" in text
    assert "choose among so many, or among all" in text
    assert "--compile, --no-compile" in text
    assert "--norm {pre,post}" in text
    assert "--dropout: at least 0, below 1" in text
