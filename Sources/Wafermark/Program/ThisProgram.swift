import CProtobufC
import Coordinator
import Kernels
import Messaging

/// The libraries that this program runs with, as they name themselves.
enum ThisProgram {
    /// What the doctor wants to know of the libraries.
    static var libraries: HostProbe.Libraries {
        HostProbe.Libraries(
            instructionSet: KernelLibrary.instructionSet, oneDNN: KernelLibrary.oneDNNVersion,
            zeroMQ: Context.versionText, protobufC: String(cString: protobuf_c_version()))
    }
}
