import Foundation
import Jobs
import Synchronization

/// Downloads files of PubMed into a folder: one at a time, checked by their MD5 sums, continued where a transfer broke
/// off, tried again with growing pauses, and at a pace that NLM asks of programs (three requests a second).
public final class PubMedFetch: Sendable {
    /// What to download.
    public struct Request: Sendable {
        /// The part of PubMed.
        public var collection = PubMedRelease.Collection.baseline
        /// The numbers of the files.
        public var files: ClosedRange<Int>
        /// The folder at a mirror; nil for NLM's own.
        public var mirror: String?
        /// The release, two digits of the year; nil to look it up in the mirror's listing.
        public var releaseYear: Int?
        /// The folder to download into.
        public var directory: String

        /// A request for files of the baseline at NLM.
        public init(files: ClosedRange<Int>, directory: String) {
            self.files = files
            self.directory = directory
        }
    }

    /// How patient a download is.
    public struct Policy: Sendable {
        /// Tries for a file.
        public var tries = 6
        /// The pause after the first try that failed; it doubles from try to try.
        public var pauseSeconds = 2.0
        /// The longest pause.
        public var longestPauseSeconds = 120.0
        /// Time between the beginnings of two requests at least.
        public var intervalSeconds = 0.34
        /// A transfer is given up after so long without a byte.
        public var stallSeconds = 60.0
        /// More bytes than any file of PubMed has.
        public var largestFile = 2 << 30

        /// The patience fit for NLM's servers.
        public init() {}
    }

    /// How far a download has come.
    public struct Progress: Sendable, Hashable {
        /// Files that are there, and those asked for.
        public var filesDone = 0
        public var files = 0
        /// The file under way, and its bytes.
        public var name = ""
        public var bytes = 0
        public var totalBytes: Int?
        /// Bytes that came in this run.
        public var bytesReceived = 0
        /// Host time since the start.
        public var elapsed = HostSeconds(0)
    }

    /// What became of a file.
    public struct File: Sendable, Codable, Hashable {
        /// What became of it.
        public enum State: String, Sendable, Codable {
            case downloaded
            /// It was there, and its sum is right.
            case present
            case failed
        }
        /// Its name.
        public var name: String
        /// What became of it.
        public var state: State
        /// Its size; 0 where it isn't there.
        public var bytes: Int
        /// Tries that it took in this run.
        public var tries: Int
        /// Why it failed; nil where it didn't.
        public var reason: String?
    }

    private let request: Request
    private let policy: Policy
    private let base: URL
    private let transfers: HTTPTransfers
    private let start = ContinuousClock.now
    private let state = Mutex(Progress())
    private let notes = Mutex<[String]>([])
    private let lastRequest = Mutex<ContinuousClock.Instant?>(nil)

    /// A download that has yet to be run.
    ///
    /// - Throws: `CorpusError.badSetting` where the mirror is no HTTP address or the numbers are out of range.
    public init(_ request: Request, policy: Policy = Policy()) throws {
        self.request = request
        self.policy = policy
        let address = request.mirror ?? request.collection.address
        guard let url = URL(string: address.hasSuffix("/") ? address : address + "/"),
            ["http", "https"].contains(url.scheme?.lowercased()), url.host?.isEmpty == false
        else {
            throw CorpusError.badSetting(
                name: "mirror", found: "'\(address)'", allowed: "an address that begins with https://")
        }
        guard request.files.lowerBound >= 1, request.files.upperBound <= 999_999 else {
            throw CorpusError.badSetting(
                name: "files", found: "\(request.files.lowerBound)..\(request.files.upperBound)", allowed: "1 to 999999"
            )
        }
        if let year = request.releaseYear, !(0...99).contains(year) {
            throw CorpusError.badSetting(name: "release", found: "\(year)", allowed: "two digits, as 25")
        }
        base = url
        transfers = HTTPTransfers(stallSeconds: policy.stallSeconds)
    }

    /// Whether the mirror is reached without encryption.
    public var isInsecure: Bool { base.scheme?.lowercased() == "http" }

    /// How far it has come; may be asked from any thread.
    public var progress: Progress {
        var progress = state.withLock { $0 }
        progress.elapsed = HostSeconds((ContinuousClock.now - start) / .seconds(1))
        return progress
    }

    /// Lines for the user since the last call: what failed and is tried again.
    public func takeNotes() -> [String] {
        notes.withLock { notes in
            defer { notes = [] }
            return notes
        }
    }

    /// Downloads the files. It blocks, and is to be called off the cooperative pool. A file that can't be had is told in the
    /// result, and the others are downloaded all the same; after three such files in a row the rest isn't tried.
    ///
    /// - Throws: `CorpusError`: `.cancelled`, `.busy`, `.unwritable`, `.fetch` where the listing can't be had.
    public func run(isCancelled: @escaping @Sendable () -> Bool = { false }) throws -> [File] {
        do {
            try FileManager.default.createDirectory(atPath: request.directory, withIntermediateDirectories: true)
        } catch {
            throw CorpusError.unwritable(path: request.directory, reason: PartialFolder.words(error))
        }
        let lock = try FolderLock(request.directory)
        return try withExtendedLifetime(lock) {
            let names = try names(isCancelled: isCancelled)
            state.withLock { $0.files = names.count }
            var files: [File] = []
            for name in names {
                let isHopeless = files.count >= 3 && files.suffix(3).allSatisfy { $0.state == .failed }
                files.append(
                    isHopeless
                        ? File(
                            name: name, state: .failed, bytes: 0, tries: 0, reason: "not tried: the three before failed"
                        )
                        : try fetch(name, isCancelled: isCancelled))
                state.withLock { $0.filesDone += files.last?.state == .failed ? 0 : 1 }
            }
            return files
        }
    }

    // MARK: Names

    private func names(isCancelled: @escaping @Sendable () -> Bool) throws -> [String] {
        if let year = request.releaseYear {
            return request.files.map { PubMedRelease.name(year: year, number: $0) }
        }
        let listing = try patiently(base.absoluteString, isCancelled: isCancelled) {
            try transfers.data(base, limit: 16 << 20, isCancelled: isCancelled)
        }
        let release = PubMedRelease(listing: String(decoding: listing, as: UTF8.self))
        guard !release.names.isEmpty else {
            throw CorpusError.fetch(
                address: base.absoluteString,
                reason: "its listing names no file such as pubmed25n0001.xml.gz; "
                    + "give the folder's address, or the release with --release")
        }
        return try request.files.map { number in
            guard let name = release.names[number] else {
                throw CorpusError.badSetting(name: "files", found: "\(number)", allowed: "\(release.range) at \(base)")
            }
            return name
        }
    }

    // MARK: One file

    private func fetch(_ name: String, isCancelled: @escaping @Sendable () -> Bool) throws -> File {
        let path = request.directory + "/" + name
        state.withLock {
            $0.name = name
            $0.bytes = 0
            $0.totalBytes = nil
        }
        if let known = try? String(contentsOfFile: path + ".md5", encoding: .utf8), let sum = MD5Sum(text: known),
            access(path, R_OK) == 0, try MD5Sum(ofFile: path, isCancelled: isCancelled) == sum
        {
            return File(name: name, state: .present, bytes: Self.size(path), tries: 0, reason: nil)
        }
        var tries = 0
        do {
            let sum = try patiently(name + ".md5", isCancelled: isCancelled) {
                let text = try transfers.data(
                    base.appendingPathComponent(name + ".md5"), limit: 4096, isCancelled: isCancelled)
                guard let sum = MD5Sum(text: String(decoding: text, as: UTF8.self)) else {
                    throw TransferFault.connection("\(name).md5 holds no MD5 sum")
                }
                return sum
            }
            try patiently(name, isCancelled: isCancelled) {
                tries += 1
                try download(name, to: path, sum: sum, isCancelled: isCancelled)
            }
            try FileWriter.writeWhole(Array("\(sum)  \(name)\n".utf8), to: path + ".md5")
            return File(name: name, state: .downloaded, bytes: Self.size(path), tries: tries, reason: nil)
        } catch CorpusError.fetch(_, let reason) {
            notes.withLock { $0.append("\(name): \(reason)") }
            return File(name: name, state: .failed, bytes: 0, tries: tries, reason: reason)
        }
    }

    private func download(
        _ name: String, to path: String, sum: MD5Sum, isCancelled: @escaping @Sendable () -> Bool
    ) throws {
        let part = path + ".part"
        let file = try PartFile(part)
        state.withLock { $0.bytes = file.size }
        do {
            try transfers.get(
                base.appendingPathComponent(name), from: file.size, isCancelled: isCancelled
            ) { [self] head in
                try file.begin(at: head.start, total: head.total)
                guard head.total ?? 0 <= policy.largestFile else {
                    throw TransferFault.tooLong(limit: policy.largestFile)
                }
                state.withLock {
                    $0.bytes = file.size
                    $0.totalBytes = head.total
                }
            } body: { [self] data in
                guard file.size + data.count <= policy.largestFile else {
                    throw TransferFault.tooLong(limit: policy.largestFile)
                }
                try file.append(data)
                state.withLock {
                    $0.bytes += data.count
                    $0.bytesReceived += data.count
                }
            }
        } catch TransferFault.status(416, _) {
            // What is there is longer than the file: it can't be its beginning.
            try file.begin(at: 0, total: nil)
            throw TransferFault.connection("the server can't continue at byte \(file.size)")
        }
        if let total = file.total, file.size != total {
            if file.size > total { try file.begin(at: 0, total: nil) }
            throw TransferFault.connection("\(file.size) of \(total) bytes came")
        }
        try file.finish()
        let found = try MD5Sum(ofFile: part, isCancelled: isCancelled)
        guard found == sum else {
            // Nothing tells which byte is wrong.
            unlink(part)
            throw TransferFault.connection("its MD5 sum is \(found), and should be \(sum)")
        }
        try FileWriter.move(part, to: path)
    }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    // MARK: Patience

    /// Runs `body` until it succeeds, fails for good, or has failed as often as it may.
    private func patiently<Result>(
        _ what: String, isCancelled: @escaping @Sendable () -> Bool, _ body: () throws -> Result
    ) throws -> Result {
        var pause = policy.pauseSeconds
        var tries = 0
        while true {
            try keepPace(isCancelled: isCancelled)
            tries += 1
            do {
                return try body()
            } catch let fault as TransferFault {
                guard fault.isTransient, tries < policy.tries else {
                    throw CorpusError.fetch(
                        address: what, reason: fault.words + (tries > 1 ? " (\(tries) tries)" : ""))
                }
                var wait = pause
                if case .status(_, let seconds?) = fault, seconds.isFinite { wait = max(wait, seconds) }
                wait = min(max(0, wait), policy.longestPauseSeconds)
                notes.withLock { $0.append("\(what): \(fault.words); tried again in \(Int(wait.rounded(.up))) s") }
                try sleep(wait, isCancelled: isCancelled)
                pause *= 2
            }
        }
    }

    /// Waits until the next request may begin.
    private func keepPace(isCancelled: () -> Bool) throws {
        let wait = lastRequest.withLock { last in
            last.map { policy.intervalSeconds - (ContinuousClock.now - $0) / .seconds(1) } ?? 0
        }
        try sleep(wait, isCancelled: isCancelled)
        lastRequest.withLock { $0 = .now }
    }

    private func sleep(_ seconds: Double, isCancelled: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(max(0, seconds))
        while ContinuousClock.now < end {
            if isCancelled() { throw CorpusError.cancelled }
            Thread.sleep(forTimeInterval: min(0.05, max(0.001, (end - ContinuousClock.now) / .seconds(1))))
        }
        if isCancelled() { throw CorpusError.cancelled }
    }
}

extension TransferFault {
    /// What went wrong, for the user.
    var words: String {
        switch self {
        case .status(let code, _): "the server answers \(code)"
        case .connection(let reason): reason
        case .stalled(let seconds): "nothing came for \(Int(seconds.rounded(.up))) s"
        case .tooLong(let limit): "more than \(limit) bytes came"
        case .redirect(let address): "the server leads to \(address), which isn't encrypted"
        }
    }
}
