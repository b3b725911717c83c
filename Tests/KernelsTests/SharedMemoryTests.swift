import Foundation
import Kernels
import Testing

@Suite("Memory that other processes read")
struct SharedMemoryTests {
    @Test("a view shows what the owner writes, before and after it was mapped")
    func view() throws {
        let buffer = FloatBuffer(count: 5_000, isShared: true)
        buffer.pointer[17] = 1
        let memory = try #require(buffer.shared)
        let view = try SharedMemoryView(opening: memory)
        let numbers = try #require(view.numbers(from: 0, count: 5_000))
        #expect(numbers[17] == 1 && numbers[4_999] == 0)
        buffer.pointer[4_999] = 2
        #expect(numbers[4_999] == 2)
        let last = try #require(view.numbers(from: 4_999 * 4, count: 1))
        #expect(last.pointee == 2)
    }

    @Test("what is mapped stays when its owner has let go of it, and can't be mapped anew")
    func ownerGone() throws {
        var buffer: FloatBuffer? = FloatBuffer(count: 1_000, isShared: true)
        buffer?.buffer.update(repeating: 3)
        let memory = try #require(buffer?.shared)
        let view = try SharedMemoryView(opening: memory)
        buffer = nil
        #expect(view.numbers(from: 999 * 4, count: 1)?.pointee == 3)
        #expect(throws: SharedMemoryError.self) { try SharedMemoryView(opening: memory) }
    }

    @Test("private memory, the default, is nobody else's")
    func privateMemory() {
        #expect(FloatBuffer(count: 10).shared == nil)
    }

    /// A change of an honest announcement, and a part of the reason for which it is refused.
    struct Lie: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var reason: String
        var change: @Sendable (inout SharedMemory) -> Void
    }

    static let lies: [Lie] = [
        Lie(testDescription: "another nonce", reason: "not '/memfd:wafermark-") { $0.nonce ^= 1 },
        Lie(testDescription: "a larger size", reason: "were announced") { $0.bytes += 4_096 },
        Lie(testDescription: "a smaller size", reason: "were announced") { $0.bytes -= 1 },
        Lie(testDescription: "no size", reason: "were announced") { $0.bytes = 0 },
        Lie(testDescription: "a negative size", reason: "were announced") { $0.bytes = -1 },
        Lie(testDescription: "a descriptor that is not open", reason: "No such file") { $0.descriptor = 1_000_000 },
        Lie(testDescription: "a process that is none", reason: "No such file") { $0.processID = .max },
        Lie(testDescription: "a negative process", reason: "No such file") { $0.processID = -1 },
    ]

    @Test("an announcement that is not true is refused with its reason", arguments: lies)
    func lie(_ lie: Lie) throws {
        let buffer = FloatBuffer(count: 4_096, isShared: true)
        var memory = try #require(buffer.shared)
        lie.change(&memory)
        let error = #expect(throws: SharedMemoryError.self) { try SharedMemoryView(opening: memory) }
        #expect(error?.reason.contains(lie.reason) == true, "\(String(describing: error))")
    }

    @Test("a pipe and a file under a descriptor are refused without being opened")
    func otherFiles() throws {
        let pipe = Pipe()
        let path = "/tmp/wm-shared-\(UUID().uuidString)"
        try Data(repeating: 0, count: 4_096).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try #require(FileHandle(forReadingAtPath: path))
        for descriptor in [pipe.fileHandleForReading.fileDescriptor, file.fileDescriptor] {
            let memory = SharedMemory(processID: getpid(), descriptor: descriptor, nonce: 1, bytes: 4_096)
            #expect(throws: SharedMemoryError.self) { try SharedMemoryView(opening: memory) }
        }
    }

    @Test("numbers outside the memory, or not aligned, are not given")
    func bounds() throws {
        let buffer = FloatBuffer(count: 1_024, isShared: true)
        let view = try SharedMemoryView(opening: try #require(buffer.shared))
        for (first, count) in [(0, 1_025), (4, 1_024), (4_096, 1), (-4, 1), (2, 1), (0, -1), (8_192, 0), (4, .max)] {
            #expect(view.numbers(from: first, count: count) == nil, "\(count) from \(first)")
        }
        #expect(view.numbers(from: 4_096, count: 0) != nil)
    }

    @Test("pages that are given back read as zeros, whether shared or not", arguments: [true, false])
    func giveBack(isShared: Bool) throws {
        let buffer = FloatBuffer(count: 4 << 20, isShared: isShared)
        buffer.buffer.update(repeating: 1)
        let before = buffer.residentBytes
        buffer.giveBack(2 << 20..<8 << 20)
        #expect(buffer.residentBytes <= before - (6 << 20))
        #expect(buffer.pointer[(2 << 20) / 4] == 0 && buffer.pointer[(8 << 20) / 4] == 1)
    }
}
