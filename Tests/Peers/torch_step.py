"""The peer of `wafermark bench train`: BERT pre-training steps (MLM + NSP) in PyTorch, as well as it does them on this CPU.

transformers' BertForPreTraining with SDPA attention, dropout on, f32, fused AdamW; only the masked positions (15 %) go
through the MLM head. Warms up, makes the steps and prints a line of JSON: the seconds of each, and the largest memory.
With --processes N it trains data-parallel: DistributedDataParallel over gloo, --batch sequences a process. With
--accumulation N a step takes N such batches one after the other, and gradients are exchanged with the last.
"""

import argparse
import contextlib
import json
import os
import socket
import time

import torch
from torch import Tensor, distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel
from transformers import BertConfig, BertForPreTraining

SHAPES = {  # layers, hidden, heads
    "tiny": (2, 128, 2), "mini": (4, 256, 4), "small": (4, 512, 8), "medium": (8, 512, 8),
    "base": (12, 768, 12), "large": (24, 1024, 16),
}


class PreTrainingLoss(nn.Module):
    """The sum of both mean losses; the MLM head sees the rows `positions` of each sequence alone."""

    def __init__(self, model: BertForPreTraining) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor, positions: Tensor, labels: Tensor, pairs: Tensor) -> Tensor:
        encoded = self.model.bert(ids, attention_mask=mask, token_type_ids=types)
        hidden = encoded.last_hidden_state
        masked = hidden.gather(1, positions.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))
        words = self.model.cls.predictions(masked)
        relation = self.model.cls.seq_relationship(encoded.pooler_output)
        return nn.functional.cross_entropy(words.flatten(0, 1), labels.flatten()) + nn.functional.cross_entropy(relation, pairs)


def random_batch(batch: int, sequence: int, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Full sequences of random tokens, 15 % of them to be predicted."""
    masked = max(1, round(sequence * 0.15))
    positions = torch.stack([torch.randperm(sequence, generator=generator)[:masked].sort().values for _ in range(batch)])
    return (
        torch.randint(0, vocabulary, (batch, sequence), generator=generator),
        torch.zeros(batch, sequence, dtype=torch.long),
        torch.ones(batch, sequence, dtype=torch.long),
        positions,
        torch.randint(0, vocabulary, (batch, masked), generator=generator),
        torch.randint(0, 2, (batch,), generator=generator),
    )


def peak_bytes() -> int:
    """The process's largest resident memory; getrusage would count in the program that started this one."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def train(rank: int, port: int, options: argparse.Namespace) -> None:
    """Trains as process `rank`; the first one prints."""
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    layers, hidden, heads = SHAPES[options.model]
    shape = BertConfig(
        vocab_size=options.vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=4 * hidden, max_position_embeddings=512, attn_implementation="sdpa")
    loss_of: nn.Module = PreTrainingLoss(BertForPreTraining(shape))
    optimizer = torch.optim.AdamW(loss_of.parameters(), lr=1e-4, fused=True)
    if options.processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        distributed.init_process_group("gloo", rank=rank, world_size=options.processes)
        loss_of = DistributedDataParallel(loss_of, gradient_as_bucket_view=True)
    step_of = torch.compile(loss_of) if options.compile else loss_of
    generator = torch.Generator().manual_seed(rank)
    batches = [random_batch(options.batch, options.sequence, options.vocabulary, generator) for _ in range(4)]
    seconds = []
    for number in range(options.warm + options.steps):
        start = time.perf_counter()
        for micro in range(options.accumulation):
            is_last = micro + 1 == options.accumulation
            with contextlib.nullcontext() if is_last or options.processes == 1 else loss_of.no_sync():
                batch = batches[(number * options.accumulation + micro) % len(batches)]
                (step_of(*batch) / options.accumulation).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        print(json.dumps({
            "step_seconds": seconds[options.warm:], "peak_rss_bytes": peak_bytes(), "torch": torch.__version__}))
    if options.processes > 1:
        distributed.destroy_process_group()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=SHAPES, default="mini")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--sequence", type=int, default=128)
    parser.add_argument("--vocabulary", type=int, default=30522)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm", type=int, default=3, help="steps before any are timed")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument("--processes", type=int, default=1, help="data-parallel processes")
    parser.add_argument("--accumulation", type=int, default=1, help="batches of a process in a step")
    options = parser.parse_args()
    if options.processes == 1:
        train(0, 0, options)
    else:
        multiprocessing.spawn(train, args=(free_port(), options), nprocs=options.processes)


if __name__ == "__main__":
    main()
