"""Command lines for several machines, tried on this one: every "machine" is a torchrun of its own on 127.0.0.1."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parallel_study.processes import LOOPBACK

ROOT = Path(__file__).parents[3]
LAUNCH = Path(__file__).with_name("launch")
PROGRAM = str(Path(__file__).with_name("who_is_there.py"))
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]  # what `torchrun` stands for
# What Slurm would do: name the machines, and start the command once on each.
SCONTROL = "#!/bin/bash\nprintf '127.0.0.1\\n127.0.0.1\\n'\n"
SRUN = """#!/bin/bash
trap 'kill $(jobs -p) 2>/dev/null' EXIT
for machine in $(seq "$SLURM_JOB_NUM_NODES"); do
    "$@" &
    started+=($!)
done
for process in "${started[@]}"; do wait "$process"; done
"""


def free_port() -> int:
    """Return a port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(commands: Sequence[Sequence[str]], environment: Mapping[str, str], seconds: float) -> list[dict[str, Any]]:
    """Run commands at the same time, one for each machine, and return what their processes said, by rank.

    Raises:
        RuntimeError: one ended with an error, or not at all.
    """
    environment = {"GLOO_SOCKET_IFNAME": LOOPBACK, "OMP_NUM_THREADS": "1", **os.environ, **environment}
    options: dict[str, Any] = {"env": environment, "cwd": ROOT, "text": True, "start_new_session": True}
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) for command in commands
    ]
    try:
        said = [process.communicate(timeout=seconds) for process in started]
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"the machines did not meet within {seconds:g} seconds") from error
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, 15)
                process.wait()
    for command, process, (_, errors) in zip(commands, started, said, strict=True):
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-3000:]}")
    lines = [line for out, _ in said for line in out.splitlines() if line.startswith("{")]
    return sorted((json.loads(line) for line in lines), key=lambda answer: answer["rank"])


def by_torchrun(machines: int, processes: int, seconds: float = 300) -> list[dict[str, Any]]:
    """Type the same line on each machine: they meet at a port of the first one."""
    command = [
        *TORCHRUN, "--nnodes", str(machines), "--nproc-per-node", str(processes), "--rdzv-id", "trial",
        "--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}", PROGRAM,
    ]  # fmt: skip
    return answers([command] * machines, {}, seconds)


def by_hand(machines: int, processes: int, seconds: float = 300) -> list[dict[str, Any]]:
    """Tell each machine its number, and all of them where number 0 listens."""
    port = str(free_port())
    commands = [
        [*TORCHRUN, "--nnodes", str(machines), "--node-rank", str(machine), "--nproc-per-node", str(processes),
         "--master-addr", "127.0.0.1", "--master-port", port, PROGRAM]
        for machine in range(machines)
    ]  # fmt: skip
    return answers(commands, {}, seconds)


def by_slurm(machines: int, processes: int, seconds: float = 300) -> list[dict[str, Any]]:
    """Run the batch script of this sprint with an `srun` that starts its command here, once for each machine."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("scontrol", SCONTROL), ("srun", SRUN)):
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        environment = {
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_JOB_ID": str(free_port() - 10000), "SLURM_JOB_NUM_NODES": str(machines),
            "PROCESSES": str(processes),
        }  # fmt: skip
        return answers([["bash", str(LAUNCH / "train.sbatch"), PROGRAM]], environment, seconds)
