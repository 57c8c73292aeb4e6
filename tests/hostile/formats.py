"""Every file format that a script reads: how a good one is made, and which commands read it."""

import gzip
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shared.lab.datasets import VARIABLE
from shared.lab.paths import DATA, ROOT
from tests.hostile.corruption import PLAIN

TINY = "--tokenizer char --context 8 --layers 1 --heads 1 --d-model 8 --batch-size 2 --ngram-tokens 100"
LENET = "--model lenet --steps 2 --warmup 1 --seeds 1 --no-tensorboard"
PUBLIC = Path(os.environ.get(VARIABLE, "/nowhere"))


@dataclass(frozen=True)
class Format:
    """A format: its files, which of their spoiled forms may be read, and who makes and who reads them.

    Attributes:
        name: of the format.
        files: the files that are spoiled, in a folder of their own.
        reads: command lines, in which {data} is that folder; the first must read good files. What has a line break is
            the code of a script, which gets the folder as its argument.
        make: puts what needs no script into the folder.
        made_by: command lines that make the rest.
        may_be_read: kinds of spoiled files that are files of the format still.
        public: SPRINTS_DATA is the folder.
    """

    name: str
    files: tuple[str, ...]
    reads: tuple[str, ...]
    make: Callable[[Path], None] | None = None
    made_by: tuple[str, ...] = ()
    may_be_read: frozenset[str] = field(default_factory=frozenset)
    public: bool = False


def _text(folder: Path) -> None:
    from shared.text.cookbook import Cookbook

    recipes = [Cookbook().recipe("train", number).text for number in range(40)]
    (folder / "text.txt").write_text("\n".join(recipes), encoding="utf-8")


def _problems(folder: Path) -> None:
    line = '{"question": "How many eggs are in two dozen?", "answer": "24"}\n'
    (folder / "problems.jsonl").write_text(20 * line, encoding="utf-8")


def _packed(folder: Path) -> None:
    lines = [f"p{number}\tsums up {number}\tIt is number {number}.\n" for number in range(200)]
    words = "word " * 40
    entries = [f"name {number}\n\n   <x> Thing {number} is a thing of eight words. {words}\n\n" for number in range(40)]
    for name, text in (
        ("debian/packages.tsv.gz", "package\tshort\tlong\n" + "".join(lines)),
        ("foldoc/foldoc.txt.gz", "\n" + "".join(entries)),
    ):
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))


def _copy(source: Path, name: str) -> Callable[[Path], None]:
    def copy(folder: Path) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)

    return copy


def _liar(folder: Path) -> None:
    for split in ("train", "valid", "test"):
        lines = (PUBLIC / "liar" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[:200]
        (folder / "liar").mkdir(exist_ok=True)
        (folder / "liar" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _mnist(folder: Path) -> None:
    place = folder / "MNIST" / "raw"
    place.mkdir(parents=True)
    for part, count in (("train", 60), ("t10k", 20)):
        sizes = b"".join(size.to_bytes(4, "big") for size in (2051, count, 28, 28))
        (place / f"{part}-images-idx3-ubyte").write_bytes(sizes + bytes(range(196)) * 4 * count)
        sizes = b"".join(size.to_bytes(4, "big") for size in (2049, count))
        (place / f"{part}-labels-idx1-ubyte").write_bytes(sizes + bytes(number % 10 for number in range(count)))


def _images(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    for name in ("cats", "dogs"):
        (folder / name).mkdir()
        Image.new("RGB", (8, 8), "red").save(folder / name / "1.png")
    np.save(folder / "images.npy", np.zeros((2, 3, 8, 8), dtype=np.uint8))
    rows = [f"{number},{number % 7 / 10},{'ab'[number % 2]}" for number in range(20)]
    (folder / "table.csv").write_text("\n".join(["size,weight,kind", *rows]) + "\n", encoding="utf-8")


def _persons(folder: Path) -> None:
    columns = (
        "rec_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id"
    )
    rows = [
        f"rec-{number}-org, ana, wood, {number}, a road, , oldham, 4011, wa, 19081209, 6988" for number in range(40)
    ]
    (folder / "febrl").mkdir()
    (folder / "febrl" / "dataset1.csv").write_text("\n".join([columns.replace(" ", ", "), *rows]), encoding="utf-8")


def _smiles(folder: Path) -> None:
    (folder / "molecules.txt").write_text(
        "".join(f"{'C' * length}{end}\n" for length in range(1, 11) for end in "NOF"), encoding="utf-8"
    )


def _adapter(folder: Path) -> None:
    import torch

    from shared.nn.adapter_files import save_adapter
    from shared.nn.adapters import LoRAConfig, inject

    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("layer", torch.nn.Linear(4, 4))
    inject(model, LoRAConfig(("layer",), 2, 4), "default")
    save_adapter(model, folder / "adapter", "base")


READ = "import sys\nfrom pathlib import Path\nfrom shared.lab.faults import one_sentence\nfolder = Path(sys.argv[1])\n"
ADAPTER = """import torch
from shared.nn.adapter_files import load_adapter
with one_sentence():
    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("layer", torch.nn.Linear(4, 4))
    load_adapter(model, folder / "adapter", "base")
"""
SECOND = f"sys.path.insert(0, {str(ROOT / 'sprints/02_datasets_and_dataloaders')!r})\n"
IMAGES = SECOND + "from images_on_disk import ImageFolder\nwith one_sentence():\n    list(ImageFolder(folder))\n"
ARRAY = SECOND + "from images_on_disk import ArrayDataset\nwith one_sentence():\n"
ARRAY += "    list(ArrayDataset(folder / 'images.npy', [0, 1])[number] for number in range(2))\n"
TABLE = SECOND + "from read_a_table import TableDataset\nwith one_sentence():\n"
TABLE += "    list(TableDataset(folder / 'table.csv', 'kind')[number] for number in range(2))\n"
PERSONS = READ + f"sys.path.insert(0, {str(ROOT / 'sprints/26_dynamic_knowledge_graph')!r})\n"
PERSONS += "from knowledge.febrl import read_persons\nwith one_sentence():\n    read_persons('dataset1')\n"
MODEL = ("model.safetensors", "tokenizer.json", "config.json")

FORMATS = (
    Format(
        "text", ("text.txt",),
        (f"09_train_gpt2/train.py --steps 1 --data {{data}}/text.txt {TINY}",
         "09_train_gpt2/prepare_data.py --tokenizer char --text {data}/text.txt --folder {data}/prepared"),
        _text, may_be_read=PLAIN,
    ),
    Format(
        "token folder", tuple(f"prepared/{name}" for name in ("train.npy", "validation.npy", "tokenizer.json")),
        (f"09_train_gpt2/train.py --steps 1 --data {{data}}/prepared {TINY}",),
        _text, ("09_train_gpt2/prepare_data.py --tokenizer char --text {data}/text.txt --folder {data}/prepared",),
    ),
    Format(
        "checkpoint", ("run/checkpoints/text.pt",),
        (f"09_train_gpt2/train.py --steps 2 --data {{data}}/text.txt {TINY} --out {{data}}/run --resume",
         "09_train_gpt2/evaluate.py --recipes 2 --samples 1 --checkpoint {data}/run/checkpoints/text.pt",
         "09_train_gpt2/export_pretrained.py --checkpoint {data}/run/checkpoints/text.pt"),
        _text, (f"09_train_gpt2/train.py --steps 2 --data {{data}}/text.txt {TINY} --out {{data}}/run",),
    ),
    Format(
        "model of transformers", tuple(f"gpt/{name}" for name in MODEL),
        ("09_train_gpt2/generate.py --model {data}/gpt --count 1 --max-new-tokens 2",
         "07_transformer_block/neurons.py --model {data}/gpt --recipes 1",
         "10_pretrained_generation_demo/generate.py --model {data}/gpt --prompts 1 --max-new-tokens 2"),
        _copy(DATA / "models" / "cookbook-gpt2", "gpt"),
    ),
    Format(
        "policy", tuple(f"llama/{name}" for name in MODEL),
        ("16_grpo_cooking/sharing.py --model {data}/llama --turns 1 --groups 1 --group-size 2 --max-new-tokens 2",),
        _copy(DATA / "models" / "kitchen-llama", "llama"),
    ),
    Format(
        "classifier", tuple(f"run/classifier/{name}" for name in MODEL),
        ("11_finetune_gpt2_classification/predict.py --model {data}/run/classifier --text butter",),
        made_by=("11_finetune_gpt2_classification/train.py --train-texts 16 --validation-texts 8 --test-texts 8 "
                 "--evaluations 1 --no-pairs --out {data}/run",),
    ),
    Format(
        "model that describes", ("run/table-gpt/config.json", "run/table-gpt/model.safetensors"),
        ("22_pictures_and_words/ask.py --steps 1 --batch-size 3 --test 1 --captions 1 --start {data}/run/table-gpt",),
        made_by=("22_pictures_and_words/describe.py --steps 1 --batch-size 1 --validation 1 --test 1 --written 1 "
                 "--out {data}/run",),
    ),
    Format(
        "reader", ("run/pantry-reader/config.json", "run/pantry-reader/model.safetensors"),
        ("25_retrieval_augmented_generation/read_passages.py --tasks 20 --reader {data}/run/pantry-reader",),
        made_by=("25_retrieval_augmented_generation/train_reader.py --steps 1 --sheets 2 --tasks 10 --rates 0.5 "
                 "--out {data}/run",),
    ),
    Format(
        "adapter", ("adapter/adapter_config.json", "adapter/adapter_model.safetensors"), (READ + ADAPTER,), _adapter,
    ),
    Format(
        "digits network", ("run/network.pt",),
        ("04_advanced_training_cnn/look_inside.py --folds 2 --run {data}/run",),
        made_by=(f"04_advanced_training_cnn/train.py --folds 2 {LENET} --out {{data}}/run",),
    ),
    Format(
        "problems", ("problems.jsonl",),
        (f"16_grpo_cooking/train_real_llama.py --model {DATA / 'models' / 'kitchen-llama'} --examples 0 --steps 1 "
         "--groups 1 --group-size 2 --max-new-tokens 2 --held-out 1 --data {data}/problems.jsonl --out {data}/run",),
        _problems, may_be_read=PLAIN,
    ),
    Format(
        "policy checkpoint", ("run/seed0/checkpoint.pt",),
        ("16_grpo_cooking/train_grpo.py --steps 2 --groups 1 --group-size 2 --held-out 2 --samples 1 --no-tensorboard "
         "--resume --out {data}/run",),
        made_by=("16_grpo_cooking/train_grpo.py --steps 2 --groups 1 --group-size 2 --held-out 2 --samples 1 "
                 "--no-tensorboard --out {data}/run",),
    ),
    Format(
        "results", ("skip_gram.json",),
        ("05_embeddings_and_positional_encoding/project.py --methods PCA --vectors {data}/skip_gram.json",),
        _copy(ROOT / "sprints/05_embeddings_and_positional_encoding/results/skip_gram.json", "skip_gram.json"),
        may_be_read=frozenset({"the last byte lost"}),  # a line break
    ),
    Format(
        "book", ("book.txt",),
        ("12_finetune_gpt2_generative/how_close_can_one_get.py --book {data}/book.txt",),
        _copy(DATA / "book.txt", "book.txt"), may_be_read=PLAIN,
    ),
    Format(
        "graph tables", ("graph/edges.csv", "graph/nodes.csv"),
        ("17_gnn/train.py --steps 1 --seeds 0 --data {data}/graph",),
        made_by=("17_gnn/train.py --data karate --export {data}/graph",), may_be_read=PLAIN,
    ),
    Format(
        "tables of many graphs", ("graph/edges.csv", "graph/nodes.csv", "graph/graphs.csv"),
        ("17_gnn/train.py --task graph --steps 1 --seeds 0 --data {data}/graph",),
        made_by=("17_gnn/train.py --task graph --data motifs --export {data}/graph",), may_be_read=PLAIN,
    ),
    Format(
        "edges with features", ("graph/edges.csv", "graph/nodes.csv"),
        ("17_gnn/later_nodes.py --steps 1 --seeds 0 --data {data}/graph",),
        made_by=("17_gnn/later_nodes.py --export {data}/graph",), may_be_read=PLAIN,
    ),
    Format(
        "kept graph network", ("run/model.pt",), ("17_gnn/later_nodes.py --model {data}/run/model.pt",),
        made_by=("17_gnn/later_nodes.py --steps 1 --seeds 0 --out {data}/run",),
    ),
    Format(
        "planetoid", tuple(f"planetoid/ind.cora.{part}" for part in ("allx", "ally", "graph", "test.index")),
        ("17_gnn/node_classification.py --data cora --networks MLP --steps 1 --seeds 0",),
        _copy(PUBLIC / "planetoid", "planetoid"), public=True,
    ),
    Format(
        "LIAR", ("liar/train.tsv", "liar/test.tsv"),
        ("11_finetune_gpt2_classification/speaker_counts.py",
         "11_finetune_gpt2_classification/leak_report.py --data liar --train-texts 50 --held-out 20 --queries 5"),
        _liar, may_be_read=PLAIN, public=True,
    ),
    Format(
        "MNIST", tuple(f"MNIST/raw/t10k-{part}-ubyte" for part in ("images-idx3", "labels-idx1")),
        ("02_datasets_and_dataloaders/look_at_the_data.py --data mnist --items 10",
         f"04_advanced_training_cnn/train.py --data mnist {LENET}"),
        _mnist, may_be_read=frozenset({"a flipped bit"}), public=True,
    ),
    Format(
        "packed text", ("debian/packages.tsv.gz",),
        ("25_retrieval_augmented_generation/which_bm25.py --documents 20 --queries 5 --k1 1 --b 0.5",),
        _packed, may_be_read=frozenset({"a flipped bit"}), public=True,
    ),
    Format(
        "packed dictionary", ("foldoc/foldoc.txt.gz",),
        ("25_retrieval_augmented_generation/chunk_size.py --entries 20 --per-document 5 --sizes 12",),
        _packed, may_be_read=frozenset({"a flipped bit"}), public=True,
    ),
    Format("persons", ("febrl/dataset1.csv",), (PERSONS,), _persons, may_be_read=PLAIN, public=True),
    Format("image", ("cats/1.png",), (READ + IMAGES,), _images, may_be_read=frozenset({"the last byte lost"})),
    Format("array", ("images.npy",), (READ + ARRAY,), _images, may_be_read=frozenset({"a flipped bit"})),
    Format("table", ("table.csv",), (READ + TABLE,), _images, may_be_read=PLAIN),
    Format(
        "SMILES", ("molecules.txt",),
        ("17_gnn/molecules.py --epochs 1 --width 4 --depth 1 --data {data}/molecules.txt",), _smiles, may_be_read=PLAIN,
    ),
    Format(
        "vocabulary of GPT-2", ("gpt2/encoder.json", "gpt2/vocab.bpe"),
        ("08_gpt2_assembly/tokenizing.py --gpt2 --recipes 1",), _copy(PUBLIC / "gpt2", "gpt2"), public=True,
    ),
)  # fmt: skip
