"""Public data sets that scripts read: their files, where these come from, their checksums and licences.

Nothing of them is part of the repository, and every source keeps its own licence; `shared/lab/datasets.py` gets them.
"""

from dataclasses import dataclass

PACKED = (".gz", ".zip")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a source: its name, the address that it comes from, and the SHA-256 and size in bytes of what comes.

    The size is None where nobody has noted it; it is shown, and nothing rests on it.
    From an address that ends in .gz or .zip comes a packed file; files in the same .zip have the same address.
    """

    name: str
    address: str
    sha256: str
    size: int | None

    @property
    def packed(self) -> bool:
        return self.address.endswith(PACKED)


@dataclass(frozen=True)
class Source:
    """A public data set: the folder of its files below the data folder, its files, its licence, its description."""

    folder: str
    files: tuple[RemoteFile, ...]
    licence: str
    home: str


def _source(folder: str, address: str, files: dict[str, tuple[str, int | None]], licence: str, home: str) -> Source:
    """Return a source whose files stand at `address`, in which {} is the name of the file."""
    remotes = (RemoteFile(name, address.format(name), sha256, size) for name, (sha256, size) in files.items())
    return Source(folder, tuple(remotes), licence, home)


def _planetoid(name: str, parts: dict[str, tuple[str, int | None]]) -> Source:
    """Return a citation network of Yang et al. (2016), as pickles.

    Read them with an unpickler that allows arrays and sparse matrices only.
    """
    files = {f"ind.{name}.{part}": what for part, what in parts.items()}
    home = "https://github.com/kimiyoung/planetoid"
    address = "https://raw.githubusercontent.com/kimiyoung/planetoid/master/data/{}"
    return _source("planetoid", address, files, licence="MIT", home=home)


_LIAR = ("611c1addad919743dde15822b87a60bfb760d8f85597f25289e34621800654c7", 1_013_571)

SOURCES = {
    "tinyshakespeare": _source(
        "tinyshakespeare",
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/{}",
        {"input.txt": ("86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", 1_115_394)},
        licence="public domain",
        home="https://github.com/karpathy/char-rnn",
    ),
    "gpt2": _source(
        "gpt2",
        "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/{}",
        {
            "encoder.json": ("196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783", 1_042_301),
            "vocab.bpe": ("1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5", 456_318),
        },
        licence="MIT (modified)",
        home="https://github.com/openai/gpt-2",
    ),
    # Read by shared/lab/mnist.py; torchvision.datasets.MNIST(fetch("mnist").parents[1]) reads the same folder.
    "mnist": _source(
        "MNIST/raw",
        "https://ossci-datasets.s3.amazonaws.com/mnist/{}.gz",
        {
            "train-images-idx3-ubyte": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
            "train-labels-idx1-ubyte": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
            "t10k-images-idx3-ubyte": ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
            "t10k-labels-idx1-ubyte": ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
        },
        licence="CC BY-SA 3.0",
        home="https://yann.lecun.com/exdb/mnist",
    ),
    "cora": _planetoid(
        "cora",
        {
            "allx": ("9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543", 257_305),
            "ally": ("2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71", 47_959),
            "graph": ("58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d", 59_847),
            "test.index": ("297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875", 5_000),
            "tx": ("b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a", 148_025),
            "ty": ("41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad", 28_135),
            "x": ("23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab", 22_119),
            "y": ("94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1", 4_054),
        },
    ),
    "citeseer": _planetoid(
        "citeseer",
        {
            "allx": ("2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668", None),
            "ally": ("f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95", None),
            "graph": ("d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7", None),
            "test.index": ("2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4", None),
            "tx": ("539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21", None),
            "ty": ("55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce", None),
            "x": ("d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6", None),
            "y": ("8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924", None),
        },
    ),
    "pubmed": _planetoid(
        "pubmed",
        {
            "allx": ("508e538e2abdccdd54c4d3e9f49d638b4af7107d85845f66ddea5a5152658b7e", None),
            "ally": ("0c37bbe3b5014ec365e9d393cf4791925e5ed94fb194305d74f064a8d7b50f0e", None),
            "graph": ("5b89f0036ca22909471f1e6558eb42fa06e0c730a577bde5b058b40638f81dc9", None),
            "test.index": ("b101d421688bbaecbd82e8a18f1e282378d6830f3a37666f28ebc47f844341b5", None),
            "tx": ("4eb5f5d0f30f26497eb0ac6ac9719d09c67e284f1ed0385c93f3ef27a671da3d", None),
            "ty": ("ee2e0d4819d9fbcc403689c3bf2e49face401b605932f093bc58ab6461130fdd", None),
            "x": ("fbe9cb5c47200d1b7769a26e579be3b7130b556831f9d850e77c4c74f2599b33", None),
            "y": ("e6c807633307a07ed659249006536a147c7999c797f11a2560752990181b41b3", None),
        },
    ),
    "liar": _source(
        "liar",
        "https://www.cs.ucsb.edu/~william/data/liar_dataset.zip",
        {"train.tsv": _LIAR, "valid.tsv": _LIAR, "test.tsv": _LIAR},
        licence="for research only; the original sources keep their copyright",
        home="https://www.cs.ucsb.edu/~william",
    ),
    # The lists of molecules that the junction-tree autoencoder was validated and tested on (Jin et al. 2018).
    "zinc": _source(
        "zinc",
        "https://raw.githubusercontent.com/wengong-jin/icml18-jtnn/master/data/zinc/{}",
        {
            "valid.txt": ("ad7d9c2bfebd93ffda6c32ed0e89d1714ae1f592f6340c0e6ae057521bbae30d", 1_106_144),
            "test.txt": ("31f6ce92914814db33bf0dbfc45f3836193e27cb80a59c54d88bc05a1f5fab83", 225_615),
        },
        licence="MIT",
        home="https://github.com/wengong-jin/icml18-jtnn",
    ),
}
