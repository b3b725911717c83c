/// The variables by which a launcher tells a worker what must not stand in its arguments.
public enum WorkerEnvironment {
    /// The run's secret: who knows it may join.
    public static let token = "WAFERMARK_WORKER_TOKEN"
    /// Faults that a worker is to have, for tests; see `FaultPlan`.
    public static let faults = "WAFERMARK_FAULTS"
}
