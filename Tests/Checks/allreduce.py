"""Times all-reduces in turn with gloo's, as PyTorch's data-parallel training uses it on this host.

    allreduce.py WAFERMARK [--workers 2,4] [--mebibytes 0.00390625,1,25,100] [--turns 3] [--algorithm direct]
                 [--transport shm]

Both sum f32 among processes of one host. Ours gives the sum in the lane tree's order and checks it to the bit; gloo's
order is its ring's. Prints a line for each number of workers and size: the medians over the turns of both, and the ratio
of the bus bandwidths as NCCL's tests define them.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def gloo_worker(rank: int, workers: int, port: int, sizes: list[float]) -> None:
    import torch
    import torch.distributed as distributed

    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    distributed.init_process_group("gloo", rank=rank, world_size=workers)
    for size in sizes:
        values = torch.ones(int(size * 2**20 / 4))
        rounds = min(400, max(12, int(2048 / size)))
        seconds = []
        for turn in range(rounds + 3):
            distributed.barrier()
            start = time.perf_counter()
            distributed.all_reduce(values)
            if turn >= 3:
                seconds.append(time.perf_counter() - start)
            values.fill_(1.0)
        if rank == 0:
            print(json.dumps({"mebibytes": size, "seconds": statistics.median(seconds)}), flush=True)
    distributed.destroy_process_group()


def gloo(workers: int, sizes: list[float]) -> dict[float, float]:
    port = str(free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, "--gloo-worker", str(rank), str(workers), port, ",".join(map(str, sizes))],
            stdout=subprocess.PIPE, text=True)
        for rank in range(workers)
    ]
    lines = [process.communicate(timeout=120)[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("allreduce: gloo failed")
    results = [json.loads(line) for line in lines[0].splitlines() if line.startswith("{")]
    return {result["mebibytes"]: result["seconds"] for result in results}


def ours(program: str, workers: int, sizes: list[float], algorithm: str, transport: str) -> dict[float, float]:
    command = [program, "bench", "allreduce", "--workers", str(workers), "--algorithm", algorithm]
    command += ["--transport", transport, "--json"]
    command += ["--mebibytes", ",".join(map(str, sizes))]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
    return {result["mebibytes"]: result["seconds_median"] for result in json.loads(output)["sizes"]}


def main() -> None:
    if len(sys.argv) == 6 and sys.argv[1] == "--gloo-worker":
        gloo_worker(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), [float(s) for s in sys.argv[5].split(",")])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--workers", default="2,4")
    parser.add_argument("--mebibytes", default="0.00390625,1,25,100")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--algorithm", default="direct")
    parser.add_argument("--transport", default="shm")
    options = parser.parse_args()
    sizes = [float(size) for size in options.mebibytes.split(",")]
    for workers in map(int, options.workers.split(",")):
        turns = [(ours(options.program, workers, sizes, options.algorithm, options.transport), gloo(workers, sizes))
                 for _ in range(options.turns)]
        for size in sizes:
            mine, theirs = (statistics.median(turn[side][size] for turn in turns) for side in (0, 1))
            bus = size * 2**20 / 1e9 * 2 * (workers - 1) / workers
            print(f"{workers} workers, {size:10.4f} MiB: wafermark {mine * 1e3:9.3f} ms {bus / mine:6.2f} GB/s bus, "
                  f"gloo {theirs * 1e3:9.3f} ms {bus / theirs:6.2f} GB/s bus, ratio {theirs / mine:5.2f}", flush=True)


if __name__ == "__main__":
    main()
