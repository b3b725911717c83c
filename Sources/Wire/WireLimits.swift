/// The ranges that decoded fields are held to.
public enum WireLimits {
    /// Workers of a run.
    public static let workers = 1...4096
    /// Lanes of a job.
    public static let lanes = 1...65_536
    /// Optimizer steps of a run.
    public static let steps = 0...(1 << 40)
    /// Membership epochs of a run.
    public static let epochs = 0...Int(Int32.max)
    /// Sequences or tokens of one report.
    public static let counts = 0...Int(UInt32.max)
    /// Elements of the flat gradient: far above BERT-Large's 3.4e8.
    public static let elements = 0...(1 << 40)
    /// Seconds of one measured span: up to a year.
    public static let seconds = 0.0...31_557_600.0
    /// Bytes of a job's JSON.
    public static let jobBytes = 1 << 20
    /// Bytes of an error's text: what a peer sends is bounded, and senders cut theirs to it.
    public static let messageBytes = 16_384
}
