/// What an exchange accepts frames of: one run in one membership epoch.
public struct ExchangeSession: Hashable, Sendable {
    /// The run.
    public var runID: String
    /// The membership epoch.
    public var epoch: Int

    /// The session of `runID` in `epoch`.
    public init(runID: String, epoch: Int) {
        self.runID = runID
        self.epoch = epoch
    }

    /// Refuses a frame of another run or epoch, or one that its connection's peer did not send.
    public func admit(_ header: ExchangeHeader, from rank: Int) throws(WireError) {
        guard header.runID == runID else {
            throw .foreign(what: "run", found: header.runID, expected: runID)
        }
        guard header.epoch == epoch else {
            throw .foreign(what: "epoch", found: "\(header.epoch)", expected: "\(epoch)")
        }
        guard header.fromRank == rank else {
            throw .foreign(what: "rank", found: "\(header.fromRank)", expected: "\(rank)")
        }
    }
}
