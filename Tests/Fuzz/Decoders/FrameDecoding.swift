import FuzzDriver
import Wire

/// Messages of the control and data sockets. The first byte says which decoder takes the rest.
enum FrameDecoding {
    static func run(_ input: UnsafeRawBufferPointer) {
        guard let kind = input.first else { return }
        let frame = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        do throws(WireError) {
            try decode(frame, kind: kind)
        } catch {
            // Refused, as it should be; the reason must be tellable.
            _ = error.description
        }
    }

    private static func decode(_ frame: UnsafeRawBufferPointer, kind: UInt8) throws(WireError) {
        switch kind % 6 {
        case 0:
            let value = try ClientRequest(decoding: frame)
            promise(try ClientRequest(decoding: value.encoded()) == value, "a request is written as it is read")
        case 1:
            let value = try ClientReply(decoding: frame)
            promise(try ClientReply(decoding: value.encoded()) == value, "a reply is written as it is read")
        case 2:
            let value = try WorkerEnvelope(decoding: frame)
            promise(try again(value.encoded(), WorkerEnvelope.init) == value, "a worker's message is written as read")
        case 3:
            let value = try CoordinatorToWorker.decode(frame)
            let bytes = value.message.encoded(for: value.run, epoch: value.epoch)
            let copy = try again(bytes, CoordinatorToWorker.decode)
            promise(copy.message == value.message, "a coordinator's message is written as it is read")
        case 4:
            let value = try ExchangeHeader(decoding: frame)
            promise(try again(value.encoded(), ExchangeHeader.init) == value, "a header is written as it is read")
        default:
            let value = try LoanMessage(decoding: frame)
            promise(try LoanMessage(decoding: value.encoded()) == value, "a loan is written as it is read")
        }
    }

    private static func again<Value>(
        _ bytes: [UInt8], _ decode: (UnsafeRawBufferPointer) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        let outcome = bytes.withUnsafeBytes { bytes in Result { () throws(WireError) in try decode(bytes) } }
        return try outcome.get()
    }
}
