"""The options of sprint 17: what is refused, in one sentence, before anything is built."""

import pytest
import torch

from shared.lab.config import parse_config

FOLDER = "17_gnn"


@pytest.mark.parametrize(
    ("script", "words", "message"),
    [
        ("benchmark", "--repeats 0", "--repeats: must be greater than or equal to 1; got 0"),
        ("beyond_colours", "--draws 0", "--draws: must be greater than or equal to 1"),
        (
            "cluster_embeddings",
            "--neighbours 17",
            "fewer than 17, and t-SNE's perplexity is below 34; got --neighbours 17",
        ),
        ("cluster_embeddings", "--perplexity 34", "got --neighbours 10 and --perplexity 34"),
        ("describe_nodes", "--sources graph graph", "--sources: the values must differ from each other"),
        ("describe_nodes", "--precision float16", "precision"),
        ("detectability", "--labelled 0.5", "--labelled: must be less than 0.5; got 0.5"),
        ("detectability", "--signals 3", "with 5 neighbours a signal is at most 2.24"),
        ("detectability", "--nodes 5", "a node cannot have 2.9 neighbours in a group of 2: give more --nodes than 5"),
        (
            "detectability",
            "--nodes 4 --degree 1 --signals 0.5 --labelled 0.4",
            "leaves nothing of 4 nodes for the test",
        ),
        ("expressive_power", "--learning-rate 0", "--learning-rate: must be greater than 0; got 0.0"),
        (
            "expressive_power",
            "--learning-rate 1e308",
            "--learning-rate: must be less than or equal to",
        ),
        ("gcn_three_ways", "--repeats 1", "--repeats: must be greater than or equal to 2"),
        ("gcn_three_ways", "--nodes 20 20", "--nodes: the values must differ"),
        ("graph_atlas", "--tries 0", "--tries: must be greater than or equal to 1"),
        ("karate_club", "--hidden 1", "--hidden: must be greater than or equal to 2"),
        ("layers_and_rounds", "--seeds 0 0", "--seeds: the values must differ from each other"),
        ("molecules", "--width 10", "--width: must be a multiple of 4; got 10"),
        ("molecules", "--layer cnn", "invalid choice"),
        ("node_classification", "--folder nowhere", "--folder: there is no such folder"),
        ("node_classification", "--folder .", "a drawn network is read from no folder, got --folder ."),
        ("node_classification", "--networks CNN", "invalid choice"),
        ("over_smoothing", "--depths 0", "--depths: must be greater than or equal to 1"),
        ("probe_prefix", "--prefix 0", "--prefix: must be greater than or equal to 1"),
        ("sum_mean_max", "--tries -1", "--tries: must be greater than or equal to 1"),
        ("train", "--dropout 1", "--dropout: must be less than 1; got 1.0"),
        ("train", "--threads 100000", "--threads: must be less than or equal to 256"),
        ("train", "--seeds 2147483648", "--seeds: must be less than 2147483648"),
        ("twin_graphs", "--tries 0", "--tries: must be greater than or equal to 1"),
    ],
)
def test_options_out_of_range_are_refused(load_sprint, capsys, script: str, words: str, message: str):
    config = load_sprint(f"{FOLDER}/{script}.py").Config
    with pytest.raises(SystemExit) as stopped:
        parse_config(config, words.split())
    assert stopped.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_data_without_a_name_is_not_the_default(load_sprint, capsys):
    with pytest.raises(SystemExit):
        parse_config(load_sprint(f"{FOLDER}/train.py").Config, ["--data", ""])
    assert "--data is a folder, karate or motifs; got nothing" in capsys.readouterr().err


def test_a_club_has_as_many_nodes_as_the_check_says(load_sprint):
    script = load_sprint(f"{FOLDER}/cluster_embeddings.py")
    assert script.known_groups(script.Config(), torch.device("cpu"))[0].graph.num_nodes == script.NODES["karate"]
