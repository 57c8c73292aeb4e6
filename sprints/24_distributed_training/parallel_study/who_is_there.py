"""The smallest program for several machines: each process joins, says who it is, and adds up the ranks of all.

Started by torchrun (see several_machines.py); it prints one line of JSON.
"""

import json
import os
import sys
from datetime import timedelta

import torch
from torch import distributed


def main() -> None:
    distributed.init_process_group("gloo", timeout=timedelta(seconds=60))
    total = torch.tensor(distributed.get_rank())
    distributed.all_reduce(total)
    found = {"rank": distributed.get_rank(), "size": distributed.get_world_size(), "sum_of_ranks": int(total)}
    found |= {"machine": int(os.environ["GROUP_RANK"]), "local_rank": int(os.environ["LOCAL_RANK"])}
    # One write for the line and its end: print makes two if there is no buffer, and another process gets between.
    os.write(sys.stdout.fileno(), f"{json.dumps(found)}\n".encode())
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
