"""Checks losses and every parameter tensor's gradient against PyTorch autograd with transformers' BertForPreTraining.

    python gradients.py path/to/wafermark

Makes random Hugging Face model folders and ragged batches, runs
`wafermark evaluate --model DIR --batch FILE.json --gradients OUT.safetensors --json` on each, and compares: losses within
1e-5 relative, accuracies exactly, gradients within 1e-4 relative to the tensor's norm, dropout off. The reference runs in
double precision on the same f32 weights. Prints one line for each case and ends with status 1 if any fails.

Needs torch, transformers, safetensors and numpy.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.numpy import load_file
from transformers import BertConfig, BertForPreTraining

# layers, hidden, heads, intermediate, positions, vocabulary, real tokens of each sequence
CASES = [
    ("two layers, ragged", 2, 64, 4, 128, 64, 1000, [40, 17, 3]),
    ("odd head width and lengths", 1, 48, 4, 96, 64, 777, [37, 1, 33]),
    ("long sequences", 2, 128, 2, 512, 512, 3000, [300, 211]),
    ("BERT-Tiny's shape", 2, 128, 2, 512, 512, 30522, [128, 128, 90, 128]),
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
GRADIENT_TOLERANCE = 1e-4
LOSS_TOLERANCE = 1e-5


def make_model(case, folder):
    _, layers, hidden, heads, intermediate, positions, vocabulary, _ = case
    torch.manual_seed(layers * 1000 + hidden)
    model = BertForPreTraining(
        BertConfig(
            vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
            intermediate_size=intermediate, max_position_embeddings=positions, attn_implementation="eager"))
    # Away from the initial values: biases are not zero, nor layer norms' scales one.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
    words = SPECIAL + [f"word{number}" for number in range(len(SPECIAL), vocabulary)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    return model.eval()


def make_batch(case):
    vocabulary, lengths = case[6], case[7]
    random = numpy.random.default_rng(len(lengths) + vocabulary)
    room = max(lengths)
    batch = dict(
        input_ids=[], token_type_ids=[], attention_mask=[], mlm_positions=[], mlm_labels=[], next_sentence_labels=[])
    for length in lengths:
        padding = [0] * (room - length)
        masked = sorted(random.choice(length, max(1, length * 15 // 100), replace=False).tolist())
        batch["input_ids"].append(random.integers(0, vocabulary, length).tolist() + padding)
        batch["token_type_ids"].append([int(position >= length // 2) for position in range(length)] + padding)
        batch["attention_mask"].append([1] * length + padding)
        batch["mlm_positions"].append(masked)
        batch["mlm_labels"].append(random.integers(0, vocabulary, len(masked)).tolist())
        batch["next_sentence_labels"].append(int(random.integers(0, 2)))
    return batch


def reference(model, batch):
    """Losses, accuracy, and the gradient of mlm_loss + nsp_loss by parameter name, in double."""
    model = model.double()
    outputs = model.bert(
        torch.tensor(batch["input_ids"]), attention_mask=torch.tensor(batch["attention_mask"]),
        token_type_ids=torch.tensor(batch["token_type_ids"]))
    rows = [(sequence, p) for sequence, positions in enumerate(batch["mlm_positions"]) for p in positions]
    hidden = outputs.last_hidden_state[[row[0] for row in rows], [row[1] for row in rows]]
    labels = torch.tensor([label for labels in batch["mlm_labels"] for label in labels])
    logits = model.cls.predictions(hidden)
    entropy = torch.nn.functional.cross_entropy
    mlm = entropy(logits, labels)
    nsp = entropy(model.cls.seq_relationship(outputs.pooler_output), torch.tensor(batch["next_sentence_labels"]))
    (mlm + nsp).backward()
    accuracy = (logits.argmax(-1) == labels).double().mean().item()
    return mlm.item(), nsp.item(), accuracy, {n: p.grad.numpy() for n, p in model.named_parameters()}


def check(case, wafermark):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        model = make_model(case, folder)
        batch = make_batch(case)
        (folder / "batch.json").write_text(json.dumps(batch))
        command = [wafermark, "evaluate", "--model", folder, "--batch", folder / "batch.json", "--gradients",
                   folder / "gradients.safetensors", "--json"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        gradients = load_file(folder / "gradients.safetensors")

    mlm, nsp, accuracy, expected = reference(model, batch)
    failures = []
    for key, value in [("mlm_loss", mlm), ("nsp_loss", nsp)]:
        if not abs(found[key] - value) <= LOSS_TOLERANCE * abs(value):
            failures.append(f"{key} is {found[key]}, reference {value}")
    if not abs(found["mlm_accuracy"] - accuracy) < 1e-9:
        failures.append(f"mlm_accuracy is {found['mlm_accuracy']}, reference {accuracy}")
    if set(gradients) != set(expected):
        failures.append(f"tensors differ: {sorted(set(gradients) ^ set(expected))}")
    worst = (0.0, "")
    for name in sorted(set(gradients) & set(expected)):
        if gradients[name].shape != expected[name].shape:
            failures.append(f"{name} has shape {gradients[name].shape}, reference {expected[name].shape}")
            continue
        # A key's bias shifts all of a softmax's scores alike: its gradient is zero, and its error is measured against
        # the query's bias.
        scale = numpy.linalg.norm(expected[name.replace("key.bias", "query.bias")])
        error = numpy.linalg.norm(gradients[name].astype(numpy.float64) - expected[name]) / max(scale, 1e-12)
        worst = max(worst, (error, name))
        if not error <= GRADIENT_TOLERANCE:
            failures.append(f"{name}: relative error {error:.2e}")
    print(f"{case[0]}: {len(gradients)} tensors, worst relative error {worst[0]:.1e} ({worst[1]})")
    for failure in failures:
        print(f"    {failure}")
    return not failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wafermark", help="the wafermark executable")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = [check(case, arguments.wafermark) for case in CASES]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
