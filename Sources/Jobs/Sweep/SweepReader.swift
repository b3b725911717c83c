/// Reads the axes of a sweep and lays out its grid.
struct SweepReader {
    let fields: Fields
    let list: ProblemList
    let job: Job
    let directory: String
    let checks: SweepFile.Checks

    /// Keys that are no axes.
    private static let settings = ["name", "job", "emulate", "stand_for", "dilation"]
    /// All keys of a sweep.
    static let keys = settings + SweepAxis.allCases.map(\.rawValue)
    /// Values on one axis.
    private static let valueLimit = 256

    /// The plan; what is wrong goes to the list.
    func plan() -> SweepPlan {
        let emulation = emulation()
        var values: [SweepAxis: [SweepValue]] = [:]
        for axis in SweepAxis.allCases {
            guard fields.node(axis.rawValue) != nil else { continue }
            if emulation == nil, axis == .devicesPerNode || axis == .oversubscription {
                refuse(fields.node(axis.rawValue), axis.rawValue, "emulated runs alone have it: add 'emulate: true'")
            }
            values[axis] = items(axis).compactMap { value($0, on: axis) }
        }
        let name = name()
        guard list.problems.isEmpty else { return SweepPlan(name: name, axes: [], points: []) }
        var usual = SweepDraft(job: job, emulation: emulation)
        if emulation?.standsFor != nil {
            usual.exchange = (try? ExchangeSettings(bucket: EmulationSettings.standInBucket)) ?? usual.exchange
        }
        return grid(name, values, from: usual)
    }

    // MARK: - The grid

    private func grid(_ name: String, _ values: [SweepAxis: [SweepValue]], from usual: SweepDraft) -> SweepPlan {
        let count = values.values.reduce(1) { min($0 * max(1, $1.count), SweepPlan.pointLimit * 1_000) }
        guard count <= SweepPlan.pointLimit * 8 else {
            list.add(tooMany(count))
            return SweepPlan(name: name, axes: [], points: [])
        }
        let shown = SweepAxis.allCases.filter { (values[$0]?.count ?? 0) > 1 }
        var drafts: [(draft: SweepDraft, values: [SweepAxis: SweepValue])] = [(usual, [:])]
        for axis in SweepAxis.allCases {
            guard let settings = values[axis] else { continue }
            drafts = drafts.flatMap { entry in
                settings.map { value in
                    var next = entry
                    next.draft.set(value.setting)
                    next.values[axis] = value
                    return next
                }
            }
        }
        var points: [SweepPoint] = []
        var seen: Set<SweepPoint> = []
        for (draft, values) in drafts {
            let labels = shown.map { $0.matters(on: draft.backend) ? values[$0]?.text : nil }
            let point = draft.point(labels)
            // Axes of the cluster don't multiply the wafer's runs.
            if seen.insert(point).inserted { points.append(point) }
        }
        if points.count > SweepPlan.pointLimit { list.add(tooMany(points.count)) }
        check(points, values)
        return SweepPlan(name: name, axes: shown.map(\.rawValue), points: points)
    }

    private func tooMany(_ count: Int) -> JobProblem {
        JobProblem(found: "\(count) runs", allowed: "at most \(SweepPlan.pointLimit): take fewer values")
    }

    /// Refuses runs that are impossible, each reason once, at the value that is most likely at fault.
    private func check(_ points: [SweepPoint], _ values: [SweepAxis: [SweepValue]]) {
        var told: Set<JobProblem> = []
        func tell(_ problem: JobProblem) { if told.insert(problem).inserted { list.add(problem) } }
        for point in points {
            if point.backend == .cluster, point.workers > point.job.lanes {
                let value = values[.workers]?.first { $0.setting == .workers(point.workers) }
                tell(
                    JobProblem(
                        line: value?.line, key: "workers", found: "\(point.workers)",
                        allowed: "1 to \(point.job.lanes), the job's lanes: every worker owns one or more"))
                continue
            }
            for violation in JobRules.violations(of: point.job) {
                let value = culprit(point, values)
                tell(
                    JobProblem(
                        line: value?.line, key: value?.axis.rawValue ?? "job",
                        found: "a job whose \(violation.keys.first ?? "job") is \(violation.found)",
                        allowed: violation.allowed))
            }
            if let emulation = point.emulation, let reason = checks.emulation(emulation, point.workers, point.hardware)
            {
                tell(
                    JobProblem(
                        line: fields.node("emulate")?.line, key: "emulate",
                        found: "\(point.workers) workers as \(point.hardware ?? "no hardware")", allowed: reason))
            }
        }
    }

    /// The value that makes the point's job another than the file's.
    private func culprit(
        _ point: SweepPoint, _ values: [SweepAxis: [SweepValue]]
    ) -> (axis: SweepAxis, line: Int)? {
        for axis in [SweepAxis.globalBatch, .sparsity, .compression] {
            for value in values[axis] ?? [] {
                var draft = SweepDraft(job: job)
                draft.set(value.setting)
                guard !JobRules.violations(of: draft.job).isEmpty else { continue }
                switch value.setting {
                case .globalBatch(let batch) where point.job.phases.first?.globalBatch != batch: continue
                default: return (axis, value.line)
                }
            }
        }
        return nil
    }

    // MARK: - Values

    private func refuse(_ node: JobNode?, _ key: String, _ allowed: String) {
        list.add(JobProblem(line: node?.line, key: key, found: node?.found ?? "nothing", allowed: allowed))
    }

    /// The nodes of an axis: those of its list, or the one value.
    private func items(_ axis: SweepAxis) -> [JobNode] {
        guard let node = fields.node(axis.rawValue) else { return [] }
        switch node {
        case .scalar: return [node]
        case .sequence(let items, _) where (1...Self.valueLimit).contains(items.count): return items
        case .sequence, .mapping:
            refuse(node, axis.rawValue, "a value, or a list of 1 to \(Self.valueLimit)")
            return []
        }
    }

    private func value(_ node: JobNode, on axis: SweepAxis) -> SweepValue? {
        let key = axis.rawValue
        guard case .scalar(let text, _, let line) = node else {
            refuse(node, key, "a value, or a list of 1 to \(Self.valueLimit)")
            return nil
        }
        guard let setting = setting(node, text, key: key, on: axis) else { return nil }
        return SweepValue(text: Fields.isNone(node) ? "none" : text, line: line, setting: setting)
    }

    private func setting(_ node: JobNode, _ text: String, key: String, on axis: SweepAxis) -> SweepSetting? {
        func whole(_ range: ClosedRange<Int>) -> Int? {
            let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            guard let value: Int = fields.integer(node, key: key, allowed: allowed) else { return nil }
            if !range.contains(value) { refuse(node, key, allowed) }
            return range.contains(value) ? value : nil
        }
        switch axis {
        case .globalBatch: return whole(1...JobRules.batchLimit).map { .globalBatch($0) }
        case .workers: return whole(1...4_096).map { .workers($0) }
        case .seed:
            let seed: UInt64? = fields.integer(node, key: key, allowed: "a whole number from 0 to 18446744073709551615")
            return seed.map { .seed($0) }
        case .sparsity:
            if let variant = SparsityVariant(name: text) { return .sparsity(variant) }
            refuse(node, key, "'dense', or 'sparse' and a percentage of zeros from 1 to 99, such as sparse75")
            return nil
        case .compression:
            if Fields.isNone(node) { return .compression(nil) }
            if let compression = GradientCompression(name: text) { return .compression(compression) }
            list.add(.unknownName(text, of: ["none"] + GradientCompression.names, line: node.line, key: key))
            return nil
        case .hardware: return hardware(node, text, key, .cluster).map { .hardware($0) }
        case .waferHardware: return hardware(node, text, key, .wafer).map { .waferHardware($0) }
        case .algorithm: return fields.choice(node, key: key).map { .algorithm($0) }
        case .transport: return fields.choice(node, key: key).map { .transport($0) }
        case .backend: return fields.choice(node, key: key).map { .backend($0) }
        case .devicesPerNode:
            return Fields.isNone(node) ? .devicesPerNode(nil) : whole(1...4_096).map { .devicesPerNode($0) }
        case .oversubscription:
            let range = EmulationSettings.oversubscriptionRange
            if let ratio = Double(text), range.contains(ratio) { return .oversubscription(ratio) }
            refuse(node, key, "a number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
    }

    /// The profile that a value names, by its whole path where it is a file; nil within for none.
    private func hardware(_ node: JobNode, _ text: String, _ key: String, _ backend: Backend) -> String?? {
        if Fields.isNone(node) { return .some(nil) }
        let isFile = text.contains("/") || text.hasSuffix(".yaml") || text.hasSuffix(".yml")
        let name = isFile ? FileProbe.absolute(text, relativeTo: directory) : text
        if let reason = checks.hardware(name, backend) {
            refuse(node, key, reason)
            return nil
        }
        return .some(name)
    }

    // MARK: - Settings

    private func name() -> String {
        let allowed = "1 to 64 letters, digits, '.', '-' and '_'"
        guard let node = fields.node("name") else { return job.name }
        guard let name = fields.text(node, key: "name", allowed: allowed) else { return job.name }
        let isPlain = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        if !isPlain || !(1...64).contains(name.utf8.count) { refuse(node, "name", allowed) }
        return name
    }

    /// How runs of the cluster are emulated; nil where they aren't.
    private func emulation() -> EmulationSettings? {
        guard fields.flag("emulate", default: false) else {
            for key in ["stand_for", "dilation"] where fields.node(key) != nil {
                refuse(fields.node(key), key, "emulated runs alone have it: add 'emulate: true'")
            }
            return nil
        }
        var settings = EmulationSettings()
        if let node = fields.node("stand_for"), !Fields.isNone(node) {
            let names = ModelShape.named.map(\.name)
            let name = fields.text(node, key: "stand_for", allowed: names.joined(separator: ", "))
            if let name, !names.contains(name) {
                list.add(.unknownName(name, of: names, line: node.line, key: "stand_for"))
            }
            settings.standsFor = name
        }
        if let node = fields.node("dilation"), case .scalar(let text, _, _) = node, text != "auto" {
            let range = EmulationSettings.dilationRange
            settings.dilation = Double(text)
            if !(settings.dilation.map(range.contains) ?? false) {
                refuse(node, "dilation", "auto, or a number from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        return settings
    }
}
