"""Scripts that torchrun starts: alone they are plain scripts, and of several errors one is told."""

import os
from dataclasses import dataclass

import pytest
from torch import distributed
from torch.distributed import DistNetworkError, HashStore

from shared.lab.config import ScriptConfig
from shared.training import launched


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


def failing(error: Exception):
    def main(_: Config) -> None:
        raise error

    return main


def test_without_torchrun_it_is_a_plain_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT", raising=False)
    monkeypatch.setattr(launched, "run_alone", lambda *arguments, **options: (arguments, options))
    assert launched.run(failing, Config, plot=None)[1] == {"plot": None}
    assert not launched.was_restarted()
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "2")
    assert launched.was_restarted()


def test_the_first_error_is_told_and_the_others_are_silent():
    store = HashStore()
    with pytest.raises(ZeroDivisionError):
        launched._said_once(failing(ZeroDivisionError("first")), store)(Config())
    with pytest.raises(SystemExit) as ended:
        launched._said_once(failing(ValueError("second")), store)(Config())
    assert ended.value.code == 2


@pytest.mark.parametrize(
    "error", [DistNetworkError("lost"), RuntimeError("[gloo/transport/tcp/pair.cc:538] Connection closed by peer")]
)
def test_a_broken_connection_is_the_end_of_another(error: Exception):
    with pytest.raises(launched.ProcessGone, match="another process of this run has ended"):
        launched._said_once(failing(error), HashStore())(Config())


def test_an_error_of_its_own_keeps_its_name():
    with pytest.raises(RuntimeError, match="shapes"):
        launched._said_once(failing(RuntimeError("shapes do not fit")), HashStore())(Config())


def test_a_new_start_does_not_see_what_the_one_before_left(monkeypatch: pytest.MonkeyPatch):
    everything = HashStore()
    monkeypatch.setattr(launched.distributed, "rendezvous", lambda _: iter([(everything, 1, 2)]))
    monkeypatch.setattr(launched.distributed, "init_process_group", lambda **_: None)
    monkeypatch.setattr(launched.distributed, "destroy_process_group", lambda: None)
    counts = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for start, here in (("0", "2"), ("0", "2"), ("1", "2"), ("1", "1"), ("2", "1")):
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", start)
        monkeypatch.setenv("LOCAL_WORLD_SIZE", here)
        with launched.joined() as store:
            counts.append(store.add("said", 1))
    # On several machines the number of the start is not the same for all, and so is no name.
    assert counts == [1, 2, 1, 1, 2]


def restarted_on_one() -> bool:
    """Return whether a process knows that another one was started again; called in a group."""
    os.environ["TORCHELASTIC_RUN_ID"] = "test"
    os.environ["TORCHELASTIC_RESTART_COUNT"] = str(distributed.get_rank())
    return launched.was_restarted()


def test_all_know_that_one_was_started_again(on_processes):
    assert on_processes(2, restarted_on_one) == [True, True]


def test_several_processes_record_nothing():
    with pytest.raises(ValueError, match="--record writes what one process found"):
        launched._said_once(lambda _: 3, HashStore())(Config(record="default"))
    assert launched._said_once(lambda _: 3, HashStore())(Config()) == 3
