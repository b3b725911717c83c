/// What the doctor found out about one thing that the program needs.
public struct Finding: Hashable, Sendable, Codable {
    /// How it stands.
    public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
        /// As it should be.
        case ok
        /// It works, but slower or with less room than it could.
        case warn
        /// Something will not work.
        case fail
    }

    /// What was looked at: a short name that stays the same.
    public var name: String
    /// How it stands.
    public var status: Status
    /// What was found.
    public var found: String
    /// How to mend it; nil where nothing is wrong.
    public var remedy: String?

    /// A finding of the given parts.
    public init(_ name: String, _ status: Status, _ found: String, remedy: String? = nil) {
        self.name = name
        self.status = status
        self.found = found
        self.remedy = status == .ok ? nil : remedy
    }
}
