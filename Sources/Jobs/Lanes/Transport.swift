/// How gradients travel between the workers of one host. The sum has the same bits by all of them.
public enum Transport: String, Hashable, Sendable, Codable, CaseIterable {
    /// They stay where they are: a peer reads them out of the worker's memory, as NCCL's SHM transport does, and messages
    /// over Unix sockets say where they lie.
    case sharedMemory = "shm"
    /// Unix sockets.
    case ipc
    /// TCP over the loopback interface.
    case tcp
}
