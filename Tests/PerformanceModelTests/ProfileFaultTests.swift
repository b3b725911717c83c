import Foundation
import Jobs
import PerformanceModel
import Testing

@Suite("Hostile hardware profiles")
struct ProfileFaultTests {
    /// The one line that is said of `profile` where `found` is replaced.
    private func refusal(_ profile: String, _ found: String, _ replacement: String) throws -> String {
        let text = try #require(HardwareCatalogue.text(of: profile))
        let changed = text.replacingOccurrences(of: found, with: replacement)
        try #require(changed != text, "nothing in \(profile) is '\(found)'")
        let error = #expect(throws: PerformanceModelError.self) {
            try HardwareProfile(parsing: changed, file: "mine.yaml")
        }
        let line = error?.description ?? "no error"
        #expect(line.hasPrefix("mine.yaml:") && !line.contains("\n"), "\(line)")
        return line
    }

    @Test(
        "B3: a link's bandwidth that is none, or names another unit than its key, is refused where it stands",
        arguments: [
            (
                "network_gigabits_per_second: { value: 10,", "network_gigabits_per_second: { value: 0,",
                "found '0'; allowed: a number from 0.1"
            ),
            ("network_gigabits_per_second: { value: 10,", "network_gigabits_per_second: { value: -10,", "found '-10'"),
            (
                "network_gigabits_per_second: { value: 10,", "network_gigabits_per_second: { value: 10 Gbps,",
                "found '10 Gbps'"
            ),
            (
                "network_gigabits_per_second: { value: 10,", "network_gigabits_per_second: { value: 10 GBps,",
                "found '10 GBps'"
            ),
            (
                "network_gigabits_per_second: { value: 10,", "network_gigabits_per_second: { value: .inf,",
                "found '.inf'"
            ),
            (
                "network_gigabits_per_second:", "network_gigabytes_per_second:",
                "did you mean 'network_gigabits_per_second'?"
            ),
            (
                "intra_node_latency_microseconds: { value: 3.4,", "intra_node_latency_microseconds: { value: -1,",
                "found '-1'; allowed: a number from 0"
            ),
            (
                "network_interfaces: { value: 1,", "network_interfaces: { value: 0,",
                "found '0'; allowed: a number from 1"
            ),
            (
                "  inter_node_bus_gigabytes_per_second: { value: 1, source: share }\n", "",
                "inter_node_bus_gigabytes_per_second: missing"
            ),
            ("  devices: { value: 4,", "  devices: { value: 0,", "node.devices.value: found '0'"),
        ])
    func links(found: String, replacement: String, says: String) throws {
        let line = try refusal("cloud-v100-10gbe", found, replacement)
        #expect(line.contains(says), "\(line)")
    }

    @Test("B3: a latency of nothing is possible, and costs nothing")
    func noLatency() throws {
        let text = try #require(HardwareCatalogue.text(of: "cloud-v100-10gbe"))
        let profile = try HardwareProfile(
            parsing: text.replacingOccurrences(
                of: "inter_node_latency_microseconds: { value: 25,",
                with: "inter_node_latency_microseconds: { value: 0,"),
            file: "mine.yaml")
        let slow = try HardwareProfile(parsing: text, file: "other.yaml")
        func step(_ profile: HardwareProfile) throws -> Double {
            let job = try JobExample.bertLargePubmed.job()
            return try StepModel.predictAndPlace(
                job: job, profile: profile, layout: StepModel.Layout(workers: 8), phase: 0, plans: PlanMemory()
            )
            .step.step.seconds
        }
        #expect(profile.cluster?.interNodeLatencyMicroseconds.value == 0)
        #expect(try step(profile) < step(slow) && step(profile).isFinite)
    }

    @Test(
        "B3: what is wrong with an emulated network is told before anything is started",
        arguments: [
            "slow-link=worker9:2x", "slow-link=node5:2x", "slow-link=rank0:2x", "slow-worker=0:0x", "slow-worker=-1:2x",
            "slow-link=node1:101%", "jitter=1.01", "loss=101%", "fail-node=9@3", "slow-worker=1:nanx",
            "slow-worker=1:infx",
        ])
    func faults(text: String) throws {
        let machine = try #require(try HardwareCatalogue.profile("cloud-v100-10gbe").cluster)
        let error = #expect(throws: EmulationSettings.Violation.self) {
            let settings = EmulationSettings(faults: [try EmulatedFault(parsing: text)])
            try settings.check(workers: 8)
            try EmulatedCluster.check(settings, workers: 8, machine: machine)
        }
        #expect(error?.description.contains("\n") == false && error?.description.isEmpty == false)
    }

    @Test(
        "B4: a wafer of no cores, of fewer than its grid, or of more than can be counted is refused",
        arguments: [
            ("cores: { value: 400000,", "cores: { value: 0,", "wafer.cores.value: found '0'; allowed: a number from 1"),
            (
                "cores: { value: 400000,", "cores: { value: 1000,",
                "found a grid of 358190 cores; allowed: at most the 1000 cores"
            ),
            (
                "cores: { value: 400000,", "cores: { value: 9223372036854775808,",
                "wafer.cores.value: found '9223372036854775808'"
            ),
            (
                "usable_columns: { value: 602,", "usable_columns: { value: 1e300,",
                "wafer.usable_columns.value: found '1e300'"
            ),
            ("usable_rows: { value: 595,", "usable_rows: { value: -595,", "wafer.usable_rows.value: found '-595'"),
            ("sustained_share: { value: 0.33,", "sustained_share: { value: 33,", "found '33'; allowed: a number from"),
        ])
    func wafers(found: String, replacement: String, says: String) throws {
        let line = try refusal("cs1", found, replacement)
        #expect(line.contains(says), "\(line)")
    }

    @Test("B4: a job that has no room on the wafer is refused with what is missing")
    func tooSmall() throws {
        let text = try #require(HardwareCatalogue.text(of: "cs1"))
        let small = try HardwareProfile(
            parsing: text.replacingOccurrences(
                of: "sram_gigabytes: { value: 18,", with: "sram_gigabytes: { value: 0.1,"),
            file: "small.yaml")
        let job = try JobExample.bertLargePubmed.job()
        let error = #expect(throws: (any Error).self) {
            try StepModel.predictAndPlace(
                job: job, profile: small, layout: StepModel.Layout(workers: 1), phase: 0, plans: PlanMemory())
        }
        let line = error.map { "\($0)" } ?? ""
        #expect(line.contains("byte") || line.contains("GB") || line.contains("MB"), "\(line)")
    }

    @Test(
        "B6: a power or price that is missing, negative, or in another currency is refused where it stands",
        arguments: [
            ("cloud-v100-10gbe", "  power_watts: { value: 300, source: v100 }\n", "", "device.power_watts: missing"),
            (
                "cloud-v100-10gbe", "  power_watts: { value: 300,", "  power_watts: { value: -300,",
                "device.power_watts.value: found '-300'"
            ),
            (
                "cloud-v100-10gbe", "price_us_dollars_per_hour: { value: 12.24,",
                "price_us_dollars_per_hour: { value: -1,", "found '-1'; allowed: a number from 0"
            ),
            (
                "cloud-v100-10gbe", "price_us_dollars_per_hour: { value: 12.24,",
                "price_us_dollars_per_hour: { value: 12 EUR,", "found '12 EUR'"
            ),
            (
                "cloud-v100-10gbe", "price_us_dollars_per_hour:", "price_euros_per_hour:",
                "node.price_euros_per_hour: unknown key"
            ),
            ("cs1", "  power_watts: { value: 20000, source: power }\n", "", "system.power_watts: missing"),
            ("cs1", "price_us_dollars: { value: 2500000,", "price_us_dollars: { value: $2500000,", "found '$2500000'"),
            (
                "cs1", "  written_off_over_years: { value: 4, source: assumed }\n", "",
                "system.written_off_over_years: missing"
            ),
        ])
    func prices(profile: String, found: String, replacement: String, says: String) throws {
        let line = try refusal(profile, found, replacement)
        #expect(line.contains(says), "\(line)")
    }

    @Test("B6: a machine without a price has none: no cost is made up")
    func noPrice() throws {
        let text = try #require(HardwareCatalogue.text(of: "cloud-v100-10gbe"))
        let profile = try HardwareProfile(
            parsing: text.replacingOccurrences(
                of: "  price_us_dollars_per_hour: { value: 12.24, source: price }\n", with: ""),
            file: "mine.yaml")
        #expect(profile.price == nil)
        let job = try JobExample.bertLargePubmed.job()
        let layout = StepModel.Layout(workers: 8)
        #expect(try JobPrediction(job: job, profile: profile, layout: layout).costUSDollars == nil)
        let priced = try HardwareProfile(parsing: text, file: "other.yaml")
        #expect(try JobPrediction(job: job, profile: priced, layout: layout).costUSDollars ?? 0 > 0)
    }
}
