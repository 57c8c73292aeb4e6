"""One sentence and an exit code for what can be expected to go wrong; a traceback for what cannot."""

import pytest
import torch
import typer
from safetensors.torch import load_file

from shared.lab.faults import as_bad_parameter, explain, one_sentence
from shared.training.loop import NonFiniteTraining


class OutOfMemoryError(RuntimeError):
    """As PyTorch's own for the memory of a GPU."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("steps must be positive;\n   got -1"), "steps must be positive; got -1"),
        (ValueError(), "ValueError"),
        (FileNotFoundError(2, "No such file or directory", "a/book.txt"), "a/book.txt: No such file or directory"),
        (OSError("image file is truncated"), "image file is truncated"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "'utf-8' codec can't decode byte 0xff"),
        (NonFiniteTraining(3, "loss", float("nan")), "the loss of step 3 is nan; the weights were left as they were"),
        (MemoryError(), "there is not enough memory for this: a smaller batch"),
        (OutOfMemoryError("CUDA out of memory. Tried 20 GiB"), "there is not enough memory for this"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "there is not enough memory"),
    ],
)
def test_what_can_be_expected_is_one_line(error: Exception, sentence: str):
    line = explain(error)
    assert line is not None
    assert line.startswith(sentence)
    assert "\n" not in line


@pytest.mark.parametrize(
    "error", [KeyError("weights"), TypeError("not a number"), RuntimeError("size mismatch"), ZeroDivisionError("0 / 0")]
)
def test_faults_of_the_program_are_not_hidden(error: Exception):
    assert explain(error) is None
    with pytest.raises(type(error)), one_sentence():
        raise error


def test_too_large_a_tensor_and_a_truncated_file_are_recognised_as_pytorch_and_safetensors_report_them(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x08\x00")
    with pytest.raises(SystemExit), one_sentence():
        load_file(tmp_path / "model.safetensors")
    with pytest.raises(SystemExit), one_sentence():
        torch.zeros(2**50)


def test_an_error_ends_with_code_2_a_stop_with_130_and_says_what_is_kept(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended, one_sentence():
        raise ValueError("heads must divide d_model")
    assert (ended.value.code, capsys.readouterr().err) == (2, "error: heads must divide d_model\n")
    with pytest.raises(SystemExit) as ended, one_sentence(kept=lambda: "Kept: a.pt."):
        raise KeyboardInterrupt
    assert (ended.value.code, capsys.readouterr().err) == (130, "\nstopped. Kept: a.pt.\n")
    with pytest.raises(ValueError, match="where"), one_sentence(traceback=True):
        raise ValueError("where")


def test_a_value_that_cannot_be_is_said_as_a_commands_usage():
    with pytest.raises(typer.BadParameter, match="there is no sprint 99"), as_bad_parameter():
        raise ValueError("there is no sprint 99")
    with pytest.raises(KeyError), as_bad_parameter():
        raise KeyError("a fault of the program")
