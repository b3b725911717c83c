import Jobs

/// The columns of a published row that say on what it ran, checked against the hardware profile that they name.
struct MachineColumns {
    let nodes: Int
    let devicesPerNode: Int
    let precision: Precision

    /// Reads `hardware`, `nodes`, `gpus_per_node` and `precision` of `row`.
    ///
    /// - Throws: `invalid`, with the column: hardware that no profile describes or that is no cluster, more devices than a
    ///   node has, a format that the device lacks.
    init(_ row: CSVTable.Row, of table: CSVTable) throws(PerformanceModelError) {
        let name = try table.name("hardware", row)
        // Files named in a table are not followed: a row holds the name of a profile.
        guard let profile = try HardwareCatalogue.all().first(where: { $0.name == name }),
            let machine = profile.cluster
        else {
            let known = try HardwareCatalogue.all().filter { $0.kind == .cluster }.map(\.name)
            let nearest = NearestName.suggestion(for: name, among: known).map { " (did you mean '\($0)'?)" } ?? ""
            throw .invalid(
                place: table.place("hardware", row), found: table.quoted("hardware", row) + nearest,
                allowed: known.joined(separator: ", "))
        }
        nodes = try table.integer("nodes", row, in: ClusterSetup.nodeRange)
        devicesPerNode = try table.integer("gpus_per_node", row, in: 1...machine.devicesPerNode)
        precision = try table.choice("precision", row, Precision.self)
        guard machine.peakFlopsPerSecond(precision) != nil else {
            throw .invalid(
                place: table.place("precision", row), found: table.quoted("precision", row),
                allowed: Precision.allCases.filter { machine.peakFlopsPerSecond($0) != nil }.map(\.rawValue)
                    .joined(separator: ", ") + ", on \(machine.deviceName)")
        }
    }
}
