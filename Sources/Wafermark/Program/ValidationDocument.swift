import PerformanceModel

/// The validations as one JSON document: that of the only table, or the cases' with the others inside.
struct ValidationDocument: Encodable {
    var cases: Validation?
    var convergence: ConvergenceValidation?
    var timeToTrain: TrainingValidation?
    var seedCase: SeedCase?
    var host: HostTrials.Outcome?
    var emulation: EmulationTrials.Outcome?

    private enum CodingKeys: String, CodingKey {
        case convergence
        case timeToTrain
        case seedCase
        case host
        case emulation
    }

    func encode(to encoder: any Encoder) throws {
        let count = [cases != nil, convergence != nil, timeToTrain != nil, host != nil, emulation != nil].count(where: {
            $0
        })
        if let cases { try cases.encode(to: encoder) }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(seedCase, forKey: .seedCase)
        if count == 1 {
            try convergence?.encode(to: encoder)
            try timeToTrain?.encode(to: encoder)
            try host?.encode(to: encoder)
            try emulation?.encode(to: encoder)
            return
        }
        try container.encodeIfPresent(convergence, forKey: .convergence)
        try container.encodeIfPresent(timeToTrain, forKey: .timeToTrain)
        try container.encodeIfPresent(host, forKey: .host)
        try container.encodeIfPresent(emulation, forKey: .emulation)
    }
}
