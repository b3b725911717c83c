import Foundation
import TestSupport
import Testing

/// No test here looks at how fast anything is.
@Suite("wafermark bench")
struct BenchTests {
    private let small = ["--model", "tiny", "--batch", "2", "--sequence", "16", "--vocabulary", "300"]

    private func json(_ arguments: [String]) throws -> [String: Any] {
        let outcome = try Program.run(["bench"] + arguments + ["--json"], seconds: 60)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        return try outcome.json()
    }

    private func number(_ document: [String: Any], _ key: String) throws -> Double {
        try #require(document[key] as? Double, "\(key) in \(document)")
    }

    @Test("train: rates are those of the products that were computed, and their ratio is the efficiency")
    func train() throws {
        let result = try json(["train", "--steps", "2"] + small)
        let achieved = try number(result, "gemm_gflops")
        #expect(achieved > 0)
        #expect(
            abs(try number(result, "gemm_efficiency") - achieved / number(result, "gemm_peak_gflops")) < 1e-9)
        // 2 sequences of 16 tokens of which 2 are masked. Layer 1 computes all tokens; layer 2 keys and values of all and
        // the rest for what the heads read: the masked tokens and the first, which may be one of them. Three products
        // each, 2 FLOPs a multiplication; scores and contexts forward once and backward twice.
        let (h, f, v) = (128.0, 512.0, 300.0)
        let heads = 4 * (h * h + h * v) + 2 * (h * h + 2 * h)
        let counts = [4.0, 5.0, 6.0].map { (reads: Double) -> [Double] in
            let first = 32 * (4 * h * h + 2 * h * f)
            let last = 32 * 2 * h * h + reads * (2 * h * h + 2 * h * f)
            let attention = 2 * 16 * 16 * h + reads * 16 * h
            return [6 * (first + last + heads), 12 * attention]
        }
        let found = [try number(result, "dense_flop_per_step"), try number(result, "attention_flop_per_step")]
        #expect(counts.contains(found), "\(found) is none of \(counts)")
        #expect(try number(result, "textbook_gflops") > 0)
        #expect(try number(result, "textbook_flop_per_step") > number(result, "dense_flop_per_step"))
        #expect(try number(result, "peak_rss_bytes") > 1_048_576)
    }

    @Test("kernels: every kernel has a time and a share of the step, and every product a shape")
    func kernels() throws {
        let result = try json(["kernels", "--steps", "2"] + small)
        let kernels = try #require(result["kernels"] as? [[String: Any]])
        let names = Set(kernels.compactMap { $0["kernel"] as? String })
        #expect(
            names.isSuperset(of: [
                "encoder_products", "last_layer_products", "head_products", "attention", "attention_backward",
                "residual_norm", "gelu",
                "cross_entropy", "embedding", "lane_sums", "gradient_norm", "optimizer",
            ]))
        let shares = try kernels.map { try number($0, "share_of_step") }
        #expect(shares.allSatisfy { $0 > 0 && $0 < 1 })
        #expect(abs(shares.reduce(0, +) + (try number(result, "other_share")) - 1) < 1e-9)
        #expect(try kernels.allSatisfy { try number($0, "bytes_per_second") > 0 })
        let products = try #require(result["products"] as? [[String: Any]])
        #expect(products.count > 10)
        #expect(try products.allSatisfy { try number($0, "peak_flop_per_second") > 0 })
    }

    @Test("train: of a sparse network's products those with zeros are not done, and all are counted")
    func sparseTrain() throws {
        let dense = try json(["train", "--steps", "1"] + small)
        let sparse = try json(["train", "--steps", "1", "--sparsity", "0.75"] + small)
        let done = try number(sparse, "sparse_flop_per_step")
        let skipped = try number(sparse, "skipped_flop_per_step")
        #expect(abs(done / (done + skipped) - 0.25) < 1e-3)
        #expect(
            try number(dense, "dense_flop_per_step") == number(sparse, "dense_flop_per_step") + done + skipped)
        #expect(try number(dense, "sparse_flop_per_step") == 0)
    }

    @Test("kernels --sparse: every pattern and density has a ratio, and the break-even lies between measured ones")
    func sparseKernels() throws {
        let result = try json([
            "kernels", "--sparse", "--model", "tiny", "--batch", "2", "--sequence", "16",
        ])
        let points = try #require(result["points"] as? [[String: Any]])
        #expect(Set(points.compactMap { $0["pattern"] as? String }) == ["unstructured", "block4", "2:4", "1:4", "1:8"])
        #expect(try points.allSatisfy { try number($0, "ratio") > 0 && number($0, "density") < 1 })
        #expect((result["activations"] as? [Any])?.count == 5)
        #expect((result["break_evens"] as? [Any])?.count == 2)
        #expect(try number(result, "density_limit") > 0)
    }

    @Test("memory: each size is measured, larger ones take more, and the parts add up to the peak")
    func memory() throws {
        let result = try json(
            ["memory", "--model", "tiny", "mini", "--batch", "2", "--sequence", "16", "--vocabulary", "3000"])
        let sizes = try #require(result["sizes"] as? [[String: Any]])
        #expect(sizes.compactMap { $0["model"] as? String } == ["tiny", "mini"])
        var peaks: [Double] = []
        for size in sizes {
            let memory = try #require(size["memory"] as? [String: Any])
            let parts = try [
                "weights_bytes", "gradients_bytes", "optimizer_state_bytes", "activations_bytes", "program_bytes",
                "library_bytes",
            ].map { try number(memory, $0) }
            let peak = try number(memory, "peak_rss_bytes")
            #expect(parts.reduce(0, +) == peak)
            #expect(try parts[0] >= 4 * number(memory, "parameters"))
            #expect(parts[2] >= 2 * parts[0] - 8192)
            peaks.append(peak)
        }
        #expect(peaks[0] < peaks[1])
    }

    @Test(
        "allreduce: goes from one size to the next, whatever the algorithm and the transport",
        arguments: ["direct", "star", "ring", "tree"], ["shm", "ipc", "tcp"])
    func changesOfSize(algorithm: String, transport: String) throws {
        for workers in ["2", "4"] {
            let result = try json([
                "allreduce", "--workers", workers, "--algorithm", algorithm, "--transport", transport, "--iterations",
                "2", "--mebibytes", "0.004,3,0.3,3,0.004,3",
            ])
            #expect((result["sizes"] as? [[String: Any]])?.count == 6)
        }
    }

    @Test(
        "text fits into 80 columns",
        arguments: [
            ["train", "--steps", "1"], ["kernels", "--steps", "1"], ["kernels", "--sparse"], ["memory"], ["gemm"],
        ])
    func width(bench: [String]) throws {
        let options = bench[0] == "gemm" ? ["--model", "tiny", "--tokens", "64"] : small
        for arguments in [["bench"] + bench + options, ["bench", bench[0], "--help"]] {
            let outcome = try Program.run(arguments, environment: ["COLUMNS": "80"], seconds: 60)
            #expect(outcome.status == 0, "\(outcome.standardError)")
            let widest = outcome.standardOutput.split(separator: "\n").map(\.count).max() ?? 0
            #expect(widest > 20 && widest <= 80, "\(outcome.standardOutput)")
        }
    }

    @Test(
        "settings that no step can be made of exit with 2 and name the setting",
        arguments: [
            (["train", "--batch", "0"], "batch"), (["train", "--model", "huge"], "huge"),
            (["kernels", "--sequence", "513"], "sequence"),
            (["memory", "--model", "tiny", "mini", "--threads", "0"], "threads"),
            (["train", "--sparsity", "1"], "sparsity"), (["train", "--pattern", "3:2"], "pattern"),
            (["kernels", "--sparse", "--threads", "0"], "threads"), (["gemm", "--tokens", "0"], "tokens"),
            (["train", "--warmup", "-1"], "warmup"),
        ])
    func wrongSettings(arguments: [String], name: String) throws {
        let outcome = try Program.run(["bench"] + arguments, seconds: 60)
        #expect(outcome.status == 2)
        #expect(outcome.standardError.contains(name), "\(outcome.standardError)")
        #expect(outcome.standardOutput.isEmpty)
    }

    @Test("list: lists what was stored, in the terminal the newest alone, as JSON all")
    func list() throws {
        // It fails where listing takes long, which a busy machine may.
        let outcome = try Program.run(["bench", "list", "--runs", "200", "--repetitions", "1", "--json"], seconds: 60)
        let result = try outcome.json()
        #expect(result["stored_runs"] as? Int == 200)
        let rows = try #require(result["rows"] as? [[String: Any]])
        #expect(
            rows.compactMap { $0["arguments"] as? [String] } == [
                ["runs", "list"], ["runs", "list", "--all"], ["runs", "list", "--json"],
            ])
        #expect(try rows.allSatisfy { try number($0, "median_milliseconds") > 0 })
        let bytes = rows.compactMap { $0["output_bytes"] as? Int }
        // A line of the table has the same width for each; 50 of 200 are shown where nobody asks for more.
        #expect(bytes.count == 3 && bytes[1] > 3 * bytes[0] && bytes[2] > bytes[1])
    }
}
