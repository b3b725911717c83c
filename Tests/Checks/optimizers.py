"""Makes and verifies the trajectories that the optimizer tests compare with: AdamW by torch.optim.AdamW, LAMB by a plain
transcription of You et al. 2020 (algorithm 2) as NVIDIA's FusedLAMB runs BERT.

    python optimizers.py make FIXTURE.json       writes the fixture
    python optimizers.py verify FIXTURE.json     computes it anew and compares

The gradients are a formula of (tensor, step, element), in double rounded to float, so that the fixture holds results only.
"""
import json
import math
import sys

import torch

STEPS = 50
HIDDEN, VOCABULARY, POSITIONS = 16, 1100, 8  # a BERT of one layer; its word embedding is longer than a block of 2^14


def tensors():
    """(name, elements, whether it decays) of the Swift test's model, by name."""
    dense = {f"bert.encoder.layer.0.{n}": HIDDEN for n in (
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
        "intermediate.dense", "output.dense")}
    dense |= {"bert.pooler.dense": HIDDEN, "cls.predictions.transform.dense": HIDDEN, "cls.seq_relationship": 2}
    norms = ["bert.embeddings", "bert.encoder.layer.0.attention.output", "bert.encoder.layer.0.output",
             "cls.predictions.transform"]
    found = [("cls.predictions.bias", VOCABULARY, False)]
    for name, rows in dict(word=VOCABULARY, position=POSITIONS, token_type=2).items():
        found.append((f"bert.embeddings.{name}_embeddings.weight", rows * HIDDEN, True))
    for name, out in dense.items():
        found += [(f"{name}.weight", out * HIDDEN, True), (f"{name}.bias", out, False)]
    for name in norms:
        found += [(f"{name}.LayerNorm.weight", HIDDEN, False), (f"{name}.LayerNorm.bias", HIDDEN, False)]
    return sorted(found)


TENSORS = tensors()
SHOWN = ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.attention.self.key.weight",
         "bert.encoder.layer.0.output.LayerNorm.weight", "cls.seq_relationship.bias"]
CASES = [
    dict(name="adamw", kind="adamw", beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.01, clip_norm=None),
    dict(name="adamw_clipped", kind="adamw", beta1=0.9, beta2=0.98, epsilon=1e-8, weight_decay=0.1, clip_norm=1.0),
    dict(name="lamb", kind="lamb", beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.01, clip_norm=1.0),
    dict(name="lamb_no_decay", kind="lamb", beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.0, clip_norm=None),
]


def weight(tensor, count):
    element = torch.arange(count, dtype=torch.float64)
    return (0.5 * torch.sin(element * 0.37 + tensor)).float()


def gradient(tensor, step, count):
    element = torch.arange(count, dtype=torch.float64)
    return (torch.sin(element * 0.11 + 0.7 * step + 1.3 * tensor) / (1 + 0.05 * step) * 0.2).float()


def learning_rate(step):
    """Warm-up of 10 steps to 0.01, then linear decay."""
    return 0.01 * (step + 1) / 10 if step < 10 else 0.01 * (1 - (step - 10) / 40)


def clip(gradients, norm):
    if norm is None:
        return gradients
    total = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
    scale = min(1.0, norm / (total + 1e-6))
    return [g * scale for g in gradients]


def adamw(case):
    parameters = [torch.nn.Parameter(weight(i, n)) for i, (_, n, _) in enumerate(TENSORS)]
    optimizer = torch.optim.AdamW(
        [dict(params=[p], weight_decay=case["weight_decay"] if d else 0.0) for p, (_, _, d) in zip(parameters, TENSORS)],
        lr=1.0, betas=(case["beta1"], case["beta2"]), eps=case["epsilon"])
    for step in range(STEPS):
        raw = [gradient(i, step, n) for i, (_, n, _) in enumerate(TENSORS)]
        for parameter, g in zip(parameters, clip(raw, case["clip_norm"])):
            parameter.grad = g
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
        yield [p.detach() for p in parameters]


def lamb(case):
    """In double throughout: what a f32 implementation approximates."""
    weights = [weight(i, n).double() for i, (_, n, _) in enumerate(TENSORS)]
    first = [torch.zeros_like(w) for w in weights]
    second = [torch.zeros_like(w) for w in weights]
    for step in range(STEPS):
        raw = [gradient(i, step, n).double() for i, (_, n, _) in enumerate(TENSORS)]
        t = step + 1
        for i, g in enumerate(clip(raw, case["clip_norm"])):
            decay = case["weight_decay"] if TENSORS[i][2] else 0.0
            first[i] = case["beta1"] * first[i] + (1 - case["beta1"]) * g
            second[i] = case["beta2"] * second[i] + (1 - case["beta2"]) * g * g
            m = first[i] / (1 - case["beta1"] ** t)
            v = second[i] / (1 - case["beta2"] ** t)
            update = m / (v.sqrt() + case["epsilon"]) + decay * weights[i]
            ratio = 1.0
            if decay != 0 and weights[i].norm() > 0 and update.norm() > 0:
                ratio = float(weights[i].norm() / update.norm())
            weights[i] = weights[i] - learning_rate(step) * ratio * update
        yield weights


def trajectory(case):
    """A few elements and the norm of every tensor after some of the steps."""
    states = []
    for step, weights in enumerate(dict(adamw=adamw, lamb=lamb)[case["kind"]](case)):
        if step + 1 in (1, 2, 10, 25, STEPS):
            states.append(dict(step=step + 1, tensors=[
                dict(name=name, norm=float(w.double().norm()),
                     elements=[float(w[(i * 97 + 5) % len(w)]) for i in range(8)])
                for (name, _, _), w in zip(TENSORS, weights) if name in SHOWN]))
    return dict(case, states=states)


def compute():
    return dict(steps=STEPS, tensors=[dict(name=n, count=c, decays=d) for n, c, d in TENSORS],
                cases=[trajectory(case) for case in CASES])


def worst(a, b):
    """The largest relative difference of two like structures."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), (a.keys(), b.keys())
        return max(worst(a[k], b[k]) for k in a)
    if isinstance(a, list):
        assert len(a) == len(b)
        return max((worst(x, y) for x, y in zip(a, b)), default=0.0)
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) / max(abs(a), abs(b), 1e-3)
    assert a == b, (a, b)
    return 0.0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("make", "verify"):
        sys.exit(__doc__)
    if sys.argv[1] == "make":
        with open(sys.argv[2], "w") as file:
            json.dump(compute(), file, indent=1)
            file.write("\n")
    else:
        with open(sys.argv[2]) as file:
            difference = worst(json.load(file), compute())
        print(f"largest relative difference from torch {torch.__version__}: {difference:.2e}")
        sys.exit(difference > 1e-6)
