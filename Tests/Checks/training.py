"""Makes and verifies the run that the trainer's test compares with: a small BertForPreTraining of transformers, trained by
PyTorch without dropout, with lanes, warm-up, clipping and decoupled weight decay, on examples that the fixture holds.

    python training.py make FIXTURE.json       writes the fixture
    python training.py verify FIXTURE.json     computes it anew and compares

The weights at the start are a formula of (parameter's place by name, element).
"""
import json
import sys

import torch
from transformers import BertConfig, BertForPreTraining

LANES, PER_LANE, STEPS, LENGTH, MASKED, VOCABULARY = 2, 3, 12, 16, 3, 60
OPTIMIZER = dict(beta1=0.9, beta2=0.98, epsilon=1e-6, weight_decay=0.05, clip_norm=1.0, peak=2e-3, warmup=4)
SHOWN = ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.attention.self.query.weight",
         "bert.encoder.layer.1.output.dense.bias", "bert.embeddings.LayerNorm.weight", "bert.pooler.dense.weight",
         "cls.predictions.bias", "cls.seq_relationship.weight"]


def make_examples():
    """[steps][lanes * per lane] ragged examples."""
    generator = torch.Generator().manual_seed(17)

    def integer(low, high):
        return int(torch.randint(low, high, (1,), generator=generator))

    def example():
        real = integer(LENGTH // 2, LENGTH + 1)
        split = integer(1, real)
        positions = sorted(torch.randperm(real, generator=generator)[:integer(1, MASKED + 1)].tolist())
        return dict(ids=[integer(0, VOCABULARY) for _ in range(real)], types=[0] * split + [1] * (real - split),
                    positions=positions, labels=[integer(0, VOCABULARY) for _ in positions], next=integer(0, 2))

    return [[example() for _ in range(LANES * PER_LANE)] for _ in range(STEPS)]


def make_model():
    config = BertConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=48, max_position_embeddings=LENGTH, hidden_dropout_prob=0.0,
                        attention_probs_dropout_prob=0.0)
    model = BertForPreTraining(config).train()
    parameters = sorted(model.named_parameters())
    with torch.no_grad():
        for index, (name, parameter) in enumerate(parameters):
            element = torch.arange(parameter.numel(), dtype=torch.float64)
            start = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.copy_((start + 0.1 * torch.sin(element * 0.37 + index)).float().reshape(parameter.shape))
    return model, parameters


def losses(model, lane):
    """The lane's mean MLM and NSP cross-entropies, and its number of masked tokens."""
    ids = torch.zeros(len(lane), LENGTH, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, example in enumerate(lane):
        real = len(example["ids"])
        ids[row, :real] = torch.tensor(example["ids"])
        types[row, :real] = torch.tensor(example["types"])
        mask[row, :real] = 1
    out = model(input_ids=ids, token_type_ids=types, attention_mask=mask)
    rows = [row for row, example in enumerate(lane) for _ in example["positions"]]
    columns = [position for example in lane for position in example["positions"]]
    labels = torch.tensor([label for example in lane for label in example["labels"]])
    cross_entropy = torch.nn.functional.cross_entropy
    nsp = cross_entropy(out.seq_relationship_logits, torch.tensor([example["next"] for example in lane]))
    return cross_entropy(out.prediction_logits[rows, columns], labels), nsp, len(labels)


def learning_rate(step):
    peak, warmup = OPTIMIZER["peak"], OPTIMIZER["warmup"]
    return peak * (step + 1) / warmup if step < warmup else peak * (1 - (step - warmup) / (STEPS - warmup))


def run(examples):
    model, parameters = make_model()
    decays = [p for n, p in parameters if not n.endswith("bias") and "LayerNorm" not in n]
    spared = [p for n, p in parameters if n.endswith("bias") or "LayerNorm" in n]
    optimizer = torch.optim.AdamW(
        [dict(params=decays, weight_decay=OPTIMIZER["weight_decay"]), dict(params=spared, weight_decay=0.0)],
        lr=1.0, betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]), eps=OPTIMIZER["epsilon"])
    steps = []
    for step, batch in enumerate(examples):
        optimizer.zero_grad()
        lanes = [losses(model, batch[lane * PER_LANE:(lane + 1) * PER_LANE]) for lane in range(LANES)]
        loss = sum(mlm + nsp for mlm, nsp, _ in lanes) / LANES
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), OPTIMIZER["clip_norm"])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
        masked = sum(float(mlm.detach()) * count for mlm, _, count in lanes) / sum(count for _, _, count in lanes)
        steps.append(dict(loss=float(loss.detach()), masked_loss=masked, gradient_norm=float(norm)))
    weights = [dict(name=n, norm=float(p.detach().double().norm()),
                    elements=p.detach().flatten()[:6].tolist()) for n, p in parameters if n in SHOWN]
    return dict(steps=steps, weights=weights)


def worst(a, b):
    """The largest relative difference of two like structures."""
    if isinstance(a, dict):
        return max(worst(a[k], b[k]) for k in a)
    if isinstance(a, list):
        assert len(a) == len(b)
        return max((worst(x, y) for x, y in zip(a, b)), default=0.0)
    if isinstance(a, float):
        return abs(a - b) / max(abs(a), abs(b), 1e-2)
    assert a == b, (a, b)
    return 0.0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("make", "verify"):
        sys.exit(__doc__)
    if sys.argv[1] == "make":
        examples = make_examples()
        settings = dict(lanes=LANES, per_lane=PER_LANE, length=LENGTH, masked=MASKED, vocabulary=VOCABULARY)
        with open(sys.argv[2], "w") as file:
            json.dump(dict(settings, optimizer=OPTIMIZER, examples=examples, result=run(examples)), file)
            file.write("\n")
    else:
        with open(sys.argv[2]) as file:
            fixture = json.load(file)
        difference = worst(fixture["result"], run(fixture["examples"]))
        print(f"largest relative difference from torch {torch.__version__}: {difference:.2e}")
        sys.exit(difference > 1e-4)
