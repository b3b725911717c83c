import Training

/// The single-node backend: one process owns every lane and every core. Its steps are a lone process's; what makes it a
/// wafer is how the same trace is placed and timed (`PerformanceModel`).
public enum WaferBackend {
    /// The wafer's way to make steps with `trainer`, which owns every lane of its job.
    public static func backend(for trainer: Trainer) -> any StepBackend { SoloBackend(trainer: trainer) }
}
