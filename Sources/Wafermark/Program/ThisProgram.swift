import CProtobufC
import CZeroMQ
import Coordinator
import Kernels

/// The libraries that this program runs with, as they name themselves.
enum ThisProgram {
    /// libzmq's version.
    static var zeroMQVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// What the doctor wants to know of the libraries.
    static var libraries: HostProbe.Libraries {
        HostProbe.Libraries(
            instructionSet: KernelLibrary.instructionSet, oneDNN: KernelLibrary.oneDNNVersion,
            zeroMQ: zeroMQVersion, protobufC: String(cString: protobuf_c_version()))
    }
}
