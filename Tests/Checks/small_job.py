"""The job that checks train when they need runs, not results: two layers, sixty steps, a second or two."""


def small_job(name: str, seed: int = 11, more: str = "") -> str:
    """The job's YAML; `more` is appended to it."""
    return f"""name: {name}
model: {{ layers: 2, hidden: 64, heads: 2, positions: 64 }}
corpus:
  synthetic: {{ documents: 300, seed: 5 }}
  vocabulary: 600
  held_out: 0.1
lanes: 4
seed: {seed}
phases:
  - {{ sequence: 64, masked_positions: 10, global_batch: 16, steps: 60, learning_rate: 1.0e-3, warmup_steps: 4 }}
evaluation: {{ every_steps: 10, sequences: 32 }}
{more}"""
