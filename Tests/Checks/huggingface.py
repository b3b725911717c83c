"""Checks this engine against transformers and PyTorch, both ways, on CPU in f32:

    python huggingface.py WAFERMARK SCRATCH_DIRECTORY [--shape tiny|odd|base]

1. A random BertForPreTraining saved by transformers: `evaluate --batch` gives its losses within 1e-5 relative, its
   accuracy, and the gradient of every parameter within 1e-4 relative of autograd's.
2. The same model saved as a bare encoder's names (no `bert.` prefix) gives the same losses.
3. `model import` writes a folder that transformers opens without a missing or unexpected tensor, with logits within 2e-4,
   and whose tokenizer opens too.
4. A BertForMaskedLM without next-sentence head is read too.

WAFERMARK is the program to check. Prints one line a check and exits with 1 where one fails.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, BertForPreTraining

SHAPES = dict(
    odd=dict(vocab_size=203, hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=80,
             max_position_embeddings=40),
    tiny=dict(vocab_size=30522, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512),
    base=dict(vocab_size=30522),
)
failures = 0


def check(name, value, limit):
    global failures
    ok = value <= limit
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}: {value:.3g} (at most {limit:g})")


def make_batch(config, sequences, length, generator):
    """Ragged sequences in the form of `evaluate --batch`."""
    batch = {k: [] for k in ("input_ids", "token_type_ids", "attention_mask", "mlm_positions", "mlm_labels")}
    for row in range(sequences):
        real = length - int(torch.randint(0, length // 2, (1,), generator=generator)) if row else length
        split = int(torch.randint(1, real, (1,), generator=generator))
        ids = torch.randint(1, config.vocab_size, (real,), generator=generator).tolist()
        count = max(1, round(0.15 * real))
        batch["input_ids"].append(ids + [0] * (length - real))
        batch["token_type_ids"].append([0] * split + [1] * (real - split) + [0] * (length - real))
        batch["attention_mask"].append([1] * real + [0] * (length - real))
        batch["mlm_positions"].append(sorted(torch.randperm(real, generator=generator)[:count].tolist()))
        batch["mlm_labels"].append(torch.randint(0, config.vocab_size, (count,), generator=generator).tolist())
    batch["next_sentence_labels"] = torch.randint(0, 2, (sequences,), generator=generator).tolist()
    return batch


def reference(model, batch):
    """mlm_loss, nsp_loss (or None), accuracy and the gradient of their sum, by autograd."""
    model.zero_grad()
    out = model(input_ids=torch.tensor(batch["input_ids"]), token_type_ids=torch.tensor(batch["token_type_ids"]),
                attention_mask=torch.tensor(batch["attention_mask"]))
    logits = out.prediction_logits if "prediction_logits" in out else out.logits
    rows = [(r, p) for r, positions in enumerate(batch["mlm_positions"]) for p in positions]
    picked = logits[[r for r, _ in rows], [p for _, p in rows]]
    labels = torch.tensor([label for row in batch["mlm_labels"] for label in row])
    mlm = torch.nn.functional.cross_entropy(picked, labels)
    nsp = None
    if "seq_relationship_logits" in out:
        nsp = torch.nn.functional.cross_entropy(out.seq_relationship_logits, torch.tensor(batch["next_sentence_labels"]))
    (mlm if nsp is None else mlm + nsp).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    accuracy = float((picked.argmax(-1) == labels).float().mean())
    return float(mlm.detach()), None if nsp is None else float(nsp.detach()), accuracy, gradients


class Checks:
    def __init__(self, program, scratch):
        self.program, self.scratch = program, scratch

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def evaluate(self, folder, batch_path, gradients=None):
        extra = ["--gradients", gradients] if gradients else []
        return json.loads(self.run("evaluate", "--model", folder, "--batch", batch_path, *extra, "--json"))

    def pretraining(self, name, shape):
        generator = torch.Generator().manual_seed(5)
        torch.manual_seed(3)
        config = BertConfig(**shape)
        model = BertForPreTraining(config).eval()
        with torch.no_grad():  # biases and norms away from 0 and 1, so that a mix-up shows
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape) * 0.02)
        folder = self.scratch / f"{name}-transformers"
        model.save_pretrained(folder, safe_serialization=True)
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(config.vocab_size - 5)]
        (folder / "vocab.txt").write_text("\n".join(words) + "\n")
        batch = make_batch(config, 5, min(32, config.max_position_embeddings), generator)
        batch_path = self.scratch / f"{name}.json"
        batch_path.write_text(json.dumps(batch))

        mlm, nsp, accuracy, gradients = reference(model, batch)
        found = self.evaluate(folder, batch_path, self.scratch / f"{name}-gradients.safetensors")
        check(f"{name}: MLM loss", abs(found["mlm_loss"] - mlm) / mlm, 1e-5)
        check(f"{name}: NSP loss", abs(found["nsp_loss"] - nsp) / nsp, 1e-5)
        check(f"{name}: MLM accuracy", abs(found["mlm_accuracy"] - accuracy), 1e-6)
        ours = load_file(self.scratch / f"{name}-gradients.safetensors")
        missing = set(gradients) ^ set(ours)
        check(f"{name}: gradients under other names {sorted(missing)[:3]}", len(missing), 0)
        worst, where = 0.0, ""
        for key in sorted(set(gradients) & set(ours)):
            difference = float((ours[key] - gradients[key]).norm())
            # The exact gradient of a key bias is zero, for softmax does not see a constant: compare rounding with what
            # the query's is.
            scale = float(gradients[key.replace("self.key.bias", "self.query.bias")].norm())
            if difference / scale > worst:
                worst, where = difference / scale, key
        check(f"{name}: gradients, worst {where}", worst, 1e-4)

        bare = self.scratch / f"{name}-bare"
        shutil.copytree(folder, bare)
        tensors = {k.removeprefix("bert."): v for k, v in load_file(folder / "model.safetensors").items()}
        save_file(tensors, bare / "model.safetensors", metadata={"format": "pt"})
        check(f"{name}: MLM loss without the prefix", abs(self.evaluate(bare, batch_path)["mlm_loss"] - mlm) / mlm, 1e-5)

        imported = self.scratch / f"{name}-imported"
        self.run("model", "import", folder, imported)
        again, report = BertForPreTraining.from_pretrained(imported, output_loading_info=True)
        check(f"{name}: missing or unexpected tensors",
              len(report["missing_keys"]) + len(report["unexpected_keys"]), 0)
        again.eval()
        inputs = dict(input_ids=torch.tensor(batch["input_ids"]), token_type_ids=torch.tensor(batch["token_type_ids"]),
                      attention_mask=torch.tensor(batch["attention_mask"]))
        with torch.no_grad():
            a, b = model(**inputs), again(**inputs)
        check(f"{name}: logits", float((a.prediction_logits - b.prediction_logits).abs().max()), 2e-4)
        check(f"{name}: NSP logits", float((a.seq_relationship_logits - b.seq_relationship_logits).abs().max()), 2e-4)
        tokens = AutoTokenizer.from_pretrained(imported)("w1 w2")["input_ids"]
        check(f"{name}: tokenizer opens", 0 if tokens == [2, 6, 7, 3] else 1, 0)

    def masked_only(self, shape):
        torch.manual_seed(4)
        config = BertConfig(**shape)
        model = BertForMaskedLM(config).eval()
        folder = self.scratch / "masked-only"
        model.save_pretrained(folder, safe_serialization=True)
        batch = make_batch(config, 3, 24, torch.Generator().manual_seed(6))
        path = self.scratch / "masked-only.json"
        path.write_text(json.dumps(batch))
        mlm, _, _, _ = reference(model, batch)
        found = self.evaluate(folder, path)
        check("BertForMaskedLM: MLM loss", abs(found["mlm_loss"] - mlm) / mlm, 1e-5)
        check("BertForMaskedLM: has no NSP loss", 0 if found.get("nsp_loss") is None else 1, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wafermark")
    parser.add_argument("scratch", type=pathlib.Path)
    parser.add_argument("--shape", choices=SHAPES, action="append")
    arguments = parser.parse_args()
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    checks = Checks(arguments.wafermark, arguments.scratch)
    for name in arguments.shape or ["odd", "tiny"]:
        checks.pretraining(name, SHAPES[name])
    checks.masked_only(SHAPES["odd"])
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
