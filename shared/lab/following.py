"""How a process takes part in a run that another one writes down: with the same options, and silently.

One process of a run speaks: it prints, shows a bar and writes results (`shared/lab/run.py`). The others `follow`.
"""

import contextlib
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from shared.lab.config import ScriptConfig, check_recordable, parse_config
from shared.lab.faults import one_sentence
from shared.lab.run import run_folder

C = TypeVar("C", bound=ScriptConfig)


def follow(
    main: Callable[[C], Any], config: type[C], *, presets: Mapping[str, Mapping[str, Any]] | None = None, **_: Any
) -> Any:
    """Compute what a script computes, with the folder of its run, and write and print nothing of it.

    A wrong option is refused as silently: who speaks has the same options. Errors of `main` are told, in one sentence.

    Args:
        main: computes the results.
        config: the script's options.
        presets: values by name, as for `run`; what else `run` takes is for those who write.
    """
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            chosen = parse_config(config, presets=presets)
            if chosen.record is not None:
                check_recordable(chosen, presets or {})
        chosen = replace(chosen, out=run_folder(chosen, str(Path(inspect.getfile(config)).resolve())))
        # Only the work is silent, not what is said of its end.
        with (
            one_sentence(traceback=chosen.traceback),
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            return main(chosen)
