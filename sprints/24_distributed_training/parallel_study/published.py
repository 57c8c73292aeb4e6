"""Scaling that others have measured and published, with what the α-β model needs to predict it."""

from typing import NamedTuple

from parallel_study.alpha_beta import Link, even_buckets, hierarchical_seconds, step_seconds

GIGABIT = 1e9 / 8  # bytes a second
# What the sources do not say: the latency of a message, in seconds, and the size of a bucket, in bytes.
LATENCY, BUCKET = 20e-6, 25e6
NVLINK = 20e9  # bytes a second between two P100 GPUs of a server in one direction, one link


class Published(NamedTuple):
    """One published efficiency of data parallel training, and its setting; bytes and seconds."""

    source: str
    gpus: int
    inside: int  # GPUs of a server, which share its network card
    gradient: float  # bytes
    step: float  # seconds of a step without other servers
    backward: float  # of them in the backward pass
    within: float  # bytes a second between GPUs of a server
    network: float  # bytes a second that leave a server
    efficiency: float


class Predicted(NamedTuple):
    """Efficiency if gradients are sent at the end of the backward pass, or in buckets during it; seconds of it all."""

    at_the_end: float
    overlapped: float
    communication: float


def third_forward(step: float) -> tuple[float, float]:
    """Return a step and its backward pass, taken to be two thirds of it."""
    return step, step * 2 / 3


PUBLISHED = {
    # Sergeev and Del Balso 2018 and the benchmarks page of Horovod: 128 servers with 4 Pascal GPUs, RoCE at 25 Gbit/s,
    # batches of 64. Images a second of one P100: TensorFlow's benchmarks of May 2017, 142 and 154.
    "Inception V3": Published(
        "Sergeev and Del Balso 2018, Horovod's benchmarks", 512, 4, 4 * 23.8e6, *third_forward(64 / 142), NVLINK,
        25 * GIGABIT, 0.90,
    ),
    "VGG-16": Published(
        "Sergeev and Del Balso 2018, Horovod's benchmarks", 512, 4, 4 * 138.4e6, *third_forward(64 / 154), NVLINK,
        25 * GIGABIT, 0.68,
    ),
    # Goyal et al. 2017, abstract ("~90% when moving from 8 to 256 GPUs") and section 4.3: servers of 8 P100, 50 Gbit/s,
    # 100 MB, a backward pass of 120 ms. A forward pass is taken to be half of that.
    "ResNet-50": Published("Goyal et al. 2017, abstract and section 4.3", 256, 8, 100e6, 0.180, 0.120, NVLINK,
                           50 * GIGABIT, 0.90),
    # Shoeybi et al. 2019, section 5.1 and figure 5: 77 % of linear with 8 GPUs (model parallel), 74 % with 64 times as
    # many. Servers of 16 V100, 100 GB/s between servers. A step of 8 rows of 1,024 tokens needs 8 FLOPs per parameter
    # and token (activations are computed twice) at 77 % of 39 TFLOP/s on 8 GPUs; gradients have 2 bytes. A GPU has an
    # eighth of the model: 8 GPUs of a server reduce theirs with 8 others, and 2 of each group stand in one server.
    "GPT-2 of 8.3 billion": Published(
        "Shoeybi et al. 2019, section 5.1 and figure 5", 64, 2, 2 * 8.3e9 / 8,
        8.3e9 * 8 * 8 * 1024 / (8 * 0.77 * 39e12), 8.3e9 * 6 * 8 * 1024 / (8 * 0.77 * 39e12), 300e9, 100e9 / 8,
        0.74 / 0.77,
    ),
}  # fmt: skip


def communication(found: Published, size: float, inside: Link, between: float) -> float:
    """Return the time to reduce `size` bytes; the GPUs of a server share `between` bytes a second."""
    servers = found.gpus // found.inside
    return hierarchical_seconds(size, servers, found.inside, inside, Link(LATENCY, between / found.inside))


def predict(found: Published, share_of_network: float = 1.0) -> Predicted:
    """Return what the model says of a published setting.

    Args:
        found: the setting.
        share_of_network: the part of the network's bandwidth that is really used.
    """
    inside, between = Link(LATENCY, found.within), found.network * share_of_network
    sizes, ready = even_buckets(found.gradient, BUCKET, found.backward)
    transfers = [communication(found, size, inside, between) for size in sizes]
    whole = communication(found, found.gradient, inside, between)
    overlapped = step_seconds(found.step - found.backward, ready, transfers, found.backward)
    return Predicted(found.step / (found.step + whole), found.step / overlapped, whole)
