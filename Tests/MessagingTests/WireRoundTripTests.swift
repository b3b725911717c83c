import Jobs
import Testing
import Wire

@Suite("Every message says the same after encoding and decoding")
struct WireRoundTripTests {
    @Test("requests of a client", arguments: MessageSamples.requests)
    func request(_ request: ClientRequest) throws {
        #expect(try decodeRequest(request.encoded()) == request)
    }

    @Test("replies of the daemon", arguments: MessageSamples.replies)
    func reply(_ reply: ClientReply) throws {
        #expect(try decodeReply(reply.encoded()) == reply)
    }

    @Test("messages of a worker", arguments: MessageSamples.workerMessages)
    func worker(_ message: WorkerToCoordinator) throws {
        let envelope = WorkerEnvelope(run: try MessageSamples.run(), rank: WorkerRank(3), epoch: 7, message: message)
        #expect(try decodeWorkerEnvelope(envelope.encoded()) == envelope)
    }

    @Test("messages of the coordinator", arguments: MessageSamples.coordinatorMessages)
    func coordinator(_ message: CoordinatorToWorker) throws {
        let run = try MessageSamples.run()
        let decoded = try decodeCoordinatorMessage(message.encoded(for: run, epoch: 5))
        #expect(decoded.run == run)
        #expect(decoded.epoch == 5)
        #expect(decoded.message == message)
    }

    @Test("loans of gradients, and their return", arguments: MessageSamples.loans)
    func loan(_ loan: LoanMessage) throws {
        #expect(try LoanMessage(decoding: loan.encoded()) == loan)
    }

    @Test("headers of gradient frames", arguments: MessageSamples.headers)
    func header(_ header: ExchangeHeader) throws {
        #expect(try decodeHeader(header.encoded()) == header)
        #expect(header.encoded().count <= ExchangeHeader.byteLimit)
    }
}
