/// Everything that takes bytes from outside, one case a decoder (B17).
enum FuzzTarget: String, CaseIterable {
    case frames, job, hardware, safetensors, xml, checkpoint

    /// What decodes an input, and looks whether what it decoded can be written and read again.
    var decoder: (UnsafeRawBufferPointer) -> Void {
        switch self {
        case .frames: FrameDecoding.run
        case .job: JobDecoding.run
        case .hardware: HardwareDecoding.run
        case .safetensors: SafeTensorsDecoding.run
        case .xml: XMLDecoding.run
        case .checkpoint: CheckpointDecoding.run
        }
    }
}
