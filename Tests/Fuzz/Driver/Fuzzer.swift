import Foundation

/// libFuzzer, with a decoder in its loop.
public enum Fuzzer {
    /// What takes an input. A trap, a sanitizer's report, or a broken promise ends the process.
    nonisolated(unsafe) private static var target: (UnsafeRawBufferPointer) -> Void = { _ in }

    /// Runs the decoder that the environment variable `FUZZ_TARGET` names, with the process's arguments.
    ///
    /// A variable and no argument, because libFuzzer starts itself again with its own arguments alone.
    public static func run<Target: RawRepresentable<String> & CaseIterable>(
        _ decoder: (Target) -> (UnsafeRawBufferPointer) -> Void
    ) -> Never {
        let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
        guard let chosen = Target(rawValue: name) else {
            let names = Target.allCases.map(\.rawValue).joined(separator: ", ")
            FileHandle.standardError.write(Data("FUZZ_TARGET is '\(name)'; allowed: \(names)\n".utf8))
            exit(64)
        }
        target = decoder(chosen)
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            runDriver(&count, &arguments) { bytes, count in
                Fuzzer.target(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }
}

/// Ends the process where `holds` is false: libFuzzer keeps the input.
public func promise(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { fatalError("broken promise: \(what())") }
}

/// libFuzzer's own loop (LLVM, "Using libFuzzer as a library").
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
