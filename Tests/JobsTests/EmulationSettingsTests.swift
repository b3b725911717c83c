import Jobs
import Testing

@Suite("Settings of an emulation")
struct EmulationSettingsTests {
    @Test(
        "faults are read as they are spelt",
        arguments: [
            ("slow-worker=3:1.5x", EmulatedFault.slowWorker(place: 3, factor: 1.5)),
            ("slow-link=worker2:4.0x", .slowDeviceLink(place: 2, factor: 4)),
            ("slow-link=node1:10.0x", .slowNetworkInterface(node: 1, factor: 10)),
            ("drop=0.5%", .loss(node: nil, share: 0.005)), ("drop=node1:7.0%", .loss(node: 1, share: 0.07)),
            ("jitter=0.05", .jitter(share: 0.05)), ("fail-node=1@40", .failedNode(node: 1, step: StepNumber(40))),
        ])
    func spelling(text: String, fault: EmulatedFault) throws {
        #expect(try EmulatedFault(parsing: text) == fault)
        #expect(fault.text == text)
    }

    @Test(
        "what is no fault is refused with what is allowed",
        arguments: [
            "", "slow-worker", "slow-worker=3", "slow-worker=-1:2x", "slow-link=3:2x", "jitter=", "drop=0.1",
            "drop=node:1%", "drop=worker1:1%", "drop=%",
            "fail-node=1",
        ])
    func nonsense(text: String) {
        let error = #expect(throws: EmulationSettings.Violation.self) { try EmulatedFault(parsing: text) }
        #expect(error?.description.contains("slow-worker=WORKER:FACTORx") == true)
    }

    @Test(
        "settings out of range are refused",
        arguments: [
            EmulationSettings(dilation: 0), EmulationSettings(dilation: .nan), EmulationSettings(oversubscription: 0.5),
            EmulationSettings(standsFor: "huge"), EmulationSettings(devicesPerNode: 3),
            EmulationSettings(devicesPerNode: 0),
            EmulationSettings(faults: [.slowWorker(place: 4, factor: 2)]),
            EmulationSettings(faults: [.slowWorker(place: 0, factor: 0.5)]),
            EmulationSettings(faults: [.jitter(share: .infinity)]),
            EmulationSettings(faults: [.loss(node: nil, share: 0.6)]),
            EmulationSettings(faults: [.loss(node: 4, share: 0)]),
            EmulationSettings(virtualWorkers: 0), EmulationSettings(virtualWorkers: 5_000),
            EmulationSettings(faults: [.failedNode(node: 0, step: StepNumber(3))], virtualWorkers: 4),
        ])
    func ranges(settings: EmulationSettings) {
        #expect(throws: EmulationSettings.Violation.self) { try settings.check(workers: 4) }
    }

    @Test("settings in range are taken")
    func taken() throws {
        let settings = EmulationSettings(
            dilation: 20, faults: [.slowWorker(place: 3, factor: 1.5), .jitter(share: 0.1)], standsFor: "large",
            devicesPerNode: 2, oversubscription: 4)
        try settings.check(workers: 4)
    }

    @Test("virtual workers are devices like others: nodes are filled with all, and faults may concern them")
    func virtualWorkers() throws {
        let settings = EmulationSettings(
            faults: [.slowWorker(place: 7, factor: 2)], devicesPerNode: 4, virtualWorkers: 4)
        try settings.check(workers: 4)
        #expect(settings.devices(workers: 4) == 8)
        #expect(settings.deviceLanes(ofWorkers: [4, 4, 4, 4], jobLanes: 16) == Array(repeating: 2, count: 8))
        // More devices than lanes: each takes the time of an even share.
        #expect(settings.deviceLanes(ofWorkers: [1, 1, 1, 1], jobLanes: 4) == Array(repeating: 1, count: 8))
        #expect(EmulationSettings().deviceLanes(ofWorkers: [3, 1], jobLanes: 4) == [3, 1])
    }
}
