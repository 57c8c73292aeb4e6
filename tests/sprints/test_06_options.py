"""Sprint 6's options: what cannot be computed is refused before anything is."""

import pytest
import torch


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("build_up", "--heads 3", "got 3 heads and d_model 16: give another number of --heads, or --d-model 15"),
        ("cost", "--lengths 512 512", "a slope needs two lengths; got --lengths 512 512 and --fit-from 512"),
        ("cost", "--fit-from 2000", "give more lengths, or fit from a smaller one"),
        ("fewer_key_value_heads", "--key-value-heads 4 3", "each of --key-value-heads must divide 4"),
        ("fewer_key_value_heads", "--key-value-heads 2 4", "each of --key-value-heads must divide 2"),
        ("fewer_key_value_heads", "--vocab 7", "a pattern has different tokens; got --longest 8 of --vocab 7"),
        ("grouped_query", "--key-value-heads 0", "--key-value-heads: must be greater than or equal to 1; got (0,)"),
        ("grouped_query", "--heads 6", "got 6 heads and d_model 256: give another number of --heads, or --d-model 258"),
        ("heads_and_back", "--heads 3", "there may be 9 of each; got 3 tokens and 3 x 4 features"),
        ("induction", "--longest 30", "a pattern has different tokens; got --longest 30 of --vocab 24"),
        ("induction", "--shortest 13", "--shortest must be at most --longest; got 13 and 12"),
        ("induction", "--preset move_positions --steps 19", "got --measure-every 20 of --steps 19: measure more often"),
        ("inverted_mask", "--vocab-size 256", "--vocab-size: must be greater than or equal to 257; got 256"),
        ("inverted_mask", "--steps 19", "something must be measured; got --eval-every 20 of --steps 19"),
        ("kv_cache", "--lengths 8 16 --fit-from 8", "must fit into 17 tokens, the longest of --lengths and one more"),
        ("masks", "--large 0", "--large: must be less than 0; got 0.0"),
        ("masks", "--large -1e39", "--large: must be greater than or equal to -3"),
        ("meaning_of_true", "--tokens 2", "--tokens: must be greater than or equal to 3; got 2"),
        ("what_is_computed_again", "--given 4", "--given must be less than the number of words, 4; got 4"),
        ("why_heads", "--heads 1 5", "got 5 heads and d_model 32: give another number of --heads, or --d-model 30"),
        ("why_heads", "--tokens 2", "--tokens: must be greater than or equal to 3; got 2"),
        ("why_scale", "--keys 1", "--keys: must be greater than or equal to 2; got 1"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name: str, words: str, sentence: str):
    assert sentence in refusal(f"06_multi_head_attention/{name}.py", words)


def test_changes_that_do_not_show_are_told(load_sprint):
    script = load_sprint("06_multi_head_attention/meaning_of_true.py")
    with pytest.raises(ValueError, match="of 4 tokens with 4 features, changes do not show: give more --d-model"):
        # What the last token gets depends on the first alone: neither on what is seen nor on what is hidden.
        script.find_convention(lambda x, mask: x[:, :1] + 0 * mask.sum(), torch.randn(1, 4, 4))
